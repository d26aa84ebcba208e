"""Remove what no commit names and nobody has sent lately. A server may run meanwhile."""

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import IntegrityError
from zoo.hub.server import regular
from zoo.hub.server.shelves import files_below
from zoo.hub.server.store import DAY, Store
from zoo.hub.server.trees import decode_tree, tree_id


@dataclass
class Collected:
    """What was removed."""

    blobs: int = 0
    bytes: int = 0
    trees: int = 0
    xorbs: int = 0
    strays: int = 0


def collect(store: Store, older_than: float = DAY) -> Collected:
    """Remove blobs, trees and xorbs that nothing names and that are so many seconds old.

    Clients remember the chunks that they have sent: when any of those go, the store takes another id. Raise
    IntegrityError, with nothing removed, where the database cannot tell what is named.
    """
    store.database.check()
    before = time.time() - older_than
    done = Collected()
    dropped_files: list[str] = []
    with store.database.transaction() as connection, store.blobs.removing(connection) as remove:
        strays = _strays(store, connection, before)
        trees, blobs = _reachable(connection)
        _remove_trees(connection, trees, done)
        chunks_lost = False
        query = """SELECT sha256, size FROM blobs WHERE added < ? AND NOT EXISTS
                   (SELECT 1 FROM uploads WHERE uploads.sha256=blobs.sha256 AND time >= ?)"""
        for sha256, size in connection.execute(query, (before, before)).fetchall():
            if sha256 in blobs:
                continue
            placed = connection.execute("DELETE FROM placements WHERE sha256=?", (sha256,)).rowcount
            chunks_lost = chunks_lost or placed > 0
            connection.execute("DELETE FROM uploads WHERE sha256=?", (sha256,))
            connection.execute("DELETE FROM blobs WHERE sha256=?", (sha256,))
            remove(sha256)
            done.blobs += 1
            done.bytes += size
        stale = """SELECT user, hash, file FROM xorbs WHERE time < ? AND (file IS NOT NULL OR NOT EXISTS
                   (SELECT 1 FROM placements WHERE placements.user=xorbs.user AND placements.hash=xorbs.hash))"""
        for user, hash_, file in connection.execute(stale, (before,)).fetchall():
            connection.execute("DELETE FROM xorbs WHERE user=? AND hash=?", (user, hash_))
            dropped_files.extend([file] if file else [])
            done.xorbs += 1
        if done.xorbs or chunks_lost:
            connection.execute("DELETE FROM settings WHERE key='store_id'")
        for path in strays:
            path.unlink(missing_ok=True)
        done.strays = len(strays)
    with store.database.transaction() as connection:
        store.blobs.restore(connection)
        for file in dropped_files:
            (store.xorbs.folder / file).unlink(missing_ok=True)
    return done


def _reachable(connection: sqlite3.Connection) -> tuple[set[str], set[str]]:
    """Return the trees and blobs that commits lead to."""
    trees: set[str] = set()
    blobs: set[str] = set()
    waiting = [str(row[0]) for row in connection.execute("SELECT DISTINCT tree FROM commits")]
    while waiting:
        oid = waiting.pop()
        if oid in trees:
            continue
        trees.add(oid)
        row = connection.execute("SELECT entries FROM trees WHERE oid=?", (oid,)).fetchone()
        entries = decode_tree(row[0]) if row else None
        if entries is None or tree_id(entries) != oid:
            raise IntegrityError(
                f"nothing is removed, since the folder {oid[:12]} of a commit is missing or broken and may name any "
                "blob; `zoo hub fsck` lists what is wrong"
            )
        for entry in entries:
            if entry.folder:
                waiting.append(entry.oid)
            else:
                blobs.add(entry.sha256)
    known: dict[str | None, str] = dict(connection.execute("SELECT oid, sha256 FROM regular"))
    return trees, {known.get(regular.git_id(sha256), sha256) for sha256 in blobs}


def _remove_trees(connection: sqlite3.Connection, wanted: set[str], done: Collected) -> None:
    unwanted = [row for row in connection.execute("SELECT oid FROM trees").fetchall() if row[0] not in wanted]
    connection.executemany("DELETE FROM trees WHERE oid=?", unwanted)
    done.trees = len(unwanted)


def _strays(store: Store, connection: sqlite3.Connection, before: float) -> list[Path]:
    """Return the files that a killed server had put in place without noting them."""
    listed = {row[0] for row in connection.execute("SELECT sha256 FROM blobs")}
    kept = {row[0] for row in connection.execute("SELECT file FROM xorbs WHERE file IS NOT NULL")}
    blobs = _unknown(store.blobs.shelves.folder, listed, before)
    if blobs and not listed:
        raise IntegrityError(
            f"nothing is removed, since store.db in {store.folder} names no blob at all and {len(blobs):,} lie there; "
            f"put back the store.db that names them, or move this one away and run `zoo hub rebuild {store.folder}`"
        )
    return blobs + _unknown(store.xorbs.folder, kept, before)


def _unknown(folder: Path, known: set[str], before: float) -> list[Path]:
    return [path for path, status in files_below(folder) if path.name not in known and status.st_mtime < before]
