"""Make another database for a store that has lost its own: from the last export or a backup, and from the blobs."""

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.hub.server.database import Database, copy_database, read_only
from zoo.hub.server.folder import FolderLock, check_present, holds_store, secure
from zoo.hub.server.migration import skip_ids
from zoo.hub.server.shelves import Shelves
from zoo.paths import sync_folder

_NEW = "store.db.new"
_DAMAGED = "store.db.damaged"
_CHUNK = 1024 * 1024


@dataclass
class Salvaged:
    """What a database was made from. `date` is that of the export; of `unnamed` files only the bytes are known."""

    source: Path | None
    date: str = ""
    repos: int = 0
    commits: int = 0
    users: int = 0
    blobs: int = 0
    missing: int = 0
    broken: int = 0
    unnamed: int = 0


def salvage(folder: Path, backup: Path | None, progress: Callable[[int], None] = lambda _: None) -> Salvaged:
    """Make another database for the store in a folder and verify every blob.

    What nothing names goes to the folder `unnamed`, where no collector comes, broken blobs to `quarantine`. Raise
    UsageError where the database is whole.
    """
    if not holds_store(folder):
        raise NotFoundError(f"no Hub, or what is left of one, in the folder {folder}; give another")
    secure(folder)
    with FolderLock(folder):
        _check_lost(folder)
        export = folder / "export.db"
        source = backup / "store.db" if backup else export if export.exists() else None
        done = Salvaged(source)
        with closing(_database(folder, source)) as database:
            _take(database, done)
            _sort_blobs(folder, {row[0] for row in database.rows("SELECT sha256 FROM blobs")}, done, progress)
        _replace(folder)
    return done


def _check_lost(folder: Path) -> None:
    try:
        check_present(folder)
        with closing(Database(folder / "store.db")) as database:
            database.check()
    except IntegrityError:
        return
    raise UsageError(
        f"store.db in {folder} is whole; `zoo hub fsck {folder}` checks the rest, or move a wrong one away"
    )


def _database(folder: Path, source: Path | None) -> Database:
    new = folder / _NEW
    for ending in ("", "-wal", "-shm", "-journal"):
        new.with_name(new.name + ending).unlink(missing_ok=True)
    if source is not None:
        if not source.is_file():
            raise NotFoundError(f"no backup of a Hub in the folder {source.parent}; give another with --from")
        try:
            with closing(read_only(source)) as old:
                copy_database(old, new)
        except sqlite3.DatabaseError as error:
            raise _useless(source, str(error)) from None
    try:
        return Database(new)
    except IntegrityError as error:
        raise _useless(source or new, str(error)) from None


def _useless(source: Path, fault: str) -> IntegrityError:
    return IntegrityError(f"{source} cannot be used: {fault}; give a backup with --from, or move it away")


def _take(database: Database, done: Salvaged) -> None:
    """Leave out of an export what may have been taken back since, and count what it has."""
    if done.source is not None:
        done.date = time.strftime("%Y-%m-%d %H:%M", time.localtime(done.source.stat().st_mtime))
    with database.transaction() as connection:
        for table in ("tokens", "placements", "xorbs"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("DELETE FROM settings WHERE key IN ('store_id', 'signing_key', 'backup')")
        skip_ids(connection)
    for table in ("repos", "commits", "users"):
        setattr(done, table, database.rows(f"SELECT COUNT(*) FROM {table}")[0][0])


def _sort_blobs(folder: Path, named: set[str], done: Salvaged, progress: Callable[[int], None]) -> None:
    shelves, unnamed, quarantine = Shelves(folder / "blobs"), folder / "unnamed", folder / "quarantine"
    for part in (folder / "blobs", unnamed, quarantine):
        part.mkdir(mode=0o700, exist_ok=True)
    for left in sorted(set(os.listdir(unnamed)) & named):  # of an earlier try with another export
        if shelves.size(left) is None:
            shelves.put(unnamed / left, left)
    whole: set[str] = set()
    for sha256 in list(shelves.names()):
        if _hash(shelves, sha256, progress) != sha256:
            shelves.take(sha256, quarantine / sha256)
            done.broken += 1
        elif sha256 in named:
            whole.add(sha256)
        else:
            shelves.take(sha256, unnamed / sha256)
    for part in (unnamed, quarantine):
        with suppress(OSError):
            part.rmdir()  # where it is empty
    done.blobs, done.missing = len(whole), len(named - whole)
    done.unnamed = len(os.listdir(unnamed)) if unnamed.exists() else 0


def _hash(shelves: Shelves, sha256: str, progress: Callable[[int], None]) -> str | None:
    digest = hashlib.sha256()
    try:
        with shelves.open(sha256) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                progress(len(chunk))
    except OSError:
        return None
    return digest.hexdigest()


def _replace(folder: Path) -> None:
    """Put the new database in place. The old one is kept beside it, with what was not in it yet."""
    for ending in ("", "-wal", "-journal"):
        with suppress(FileNotFoundError):
            os.replace(folder / f"store.db{ending}", folder / f"{_DAMAGED}{ending}")
    (folder / "store.db-shm").unlink(missing_ok=True)
    os.replace(folder / _NEW, folder / "store.db")
    sync_folder(folder)
