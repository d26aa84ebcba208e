"""Copy a Hub's folder while it is served: the database as it is at one moment, and the blobs that it names."""

import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from zoo.hub.server.store import Store, write_secret


@dataclass
class Copied:
    """How much a backup took that was not there yet."""

    blobs: int = 0
    bytes: int = 0


def back_up(store: Store, target: Path) -> Copied:
    """Bring a copy of the store up to date. Blobs never change, so only new ones are copied."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = target / "store.db.new"
    temporary.unlink(missing_ok=True)
    store.database.back_up(temporary)
    done = Copied()
    with sqlite3.connect(temporary) as connection:
        rows = connection.execute("SELECT sha256, size FROM blobs").fetchall()
        connection.execute("UPDATE xorbs SET file=NULL")  # uploads that are not files yet stay behind
        connection.execute("DELETE FROM settings WHERE key='store_id'")
    connection.close()
    for sha256, size in rows:
        source, copy = store.blobs.path(sha256), target / "blobs" / sha256[:2] / sha256[2:4] / sha256
        if copy.is_file() and copy.stat().st_size == size:
            continue
        if not source.is_file():  # collected since: no commit names it
            continue
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = copy.with_suffix(".new")
        shutil.copyfile(source, partial)
        os.chmod(partial, 0o444)
        os.replace(partial, copy)
        done.blobs += 1
        done.bytes += size
    token = store.folder / "token"
    if token.exists():
        write_secret(target / "token", token.read_text())
    for journal in ("store.db-wal", "store.db-shm"):
        (target / journal).unlink(missing_ok=True)
    os.replace(temporary, target / "store.db")
    return done
