"""How much a store holds."""

import shutil
from typing import Any

from zoo.hub.server.store import Store

_LARGEST = 10


def statistics(store: Store) -> dict[str, Any]:
    """Return counts and sizes; `bytes` is what blobs take, each once."""
    with store.database.snapshot() as connection:

        def one(query: str) -> int:
            return int(connection.execute(query).fetchone()[0] or 0)

        repos = dict(connection.execute("SELECT type, COUNT(*) FROM repos GROUP BY type ORDER BY type").fetchall())
        query = """SELECT type, repos.name, COUNT(*), SUM(size) FROM uploads JOIN blobs USING (sha256)
                   JOIN repos ON repos.id=repo GROUP BY repo ORDER BY SUM(size) DESC LIMIT ?"""
        largest = [
            {"type": type_, "repo": name, "blobs": count, "bytes": size}
            for type_, name, count, size in connection.execute(query, (_LARGEST,)).fetchall()
        ]
        return {
            "repos": repos,
            "commits": one("SELECT COUNT(*) FROM commits"),
            "users": one("SELECT COUNT(*) FROM users"),
            "blobs": one("SELECT COUNT(*) FROM blobs"),
            "bytes": one("SELECT SUM(size) FROM blobs"),
            "downloads": one("SELECT SUM(downloads) FROM repos"),
            "database_bytes": (store.folder / "store.db").stat().st_size,
            "free_bytes": shutil.disk_usage(store.folder).free,
            "largest": largest,
        }
