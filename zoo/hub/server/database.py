"""The Hub's SQLite database: one writer at a time, readers that never wait, everything committed is on disk."""

import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from zoo.errors import StorageError
from zoo.files import sync_folder
from zoo.hub.server import work
from zoo.hub.server.folder import broken
from zoo.hub.server.lane import busy
from zoo.hub.server.migration import OLDEST, migrate
from zoo.hub.server.schema import ADDED, STATEMENTS, TABLES, VERSION

_WAIT_SECONDS = 60
_LOOK_SECONDS = 1
_STEPS = 20_000  # of SQLite's machine, between two looks at whether the request is still to be answered
# trusted_schema: tables of a file that somebody gave call no function with side effects
_PRAGMAS = "PRAGMA trusted_schema=OFF; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-16384;"


class Database:
    """A connection for writing behind a lock, and one for reading in every thread. Other processes may write too.

    Where another file takes the place of this one all ends: writes at once, reads within a second.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._held: dict[Path, tuple[int, int]] = {}
        self._looked = -math.inf
        if not path.exists():
            _create(path)
        self.hold(path)
        with self._faults():
            self._writer = self._connect()
            try:
                self._open_tables()
            except BaseException:
                self._writer.close()
                raise

    def hold(self, path: Path) -> None:
        """Serve nothing any more once a file of the store is another one, or gone."""
        self._held[path] = _identity(path)

    def _check_held(self) -> None:
        for path, identity in self._held.items():
            if _identity(path) != identity:
                self._looked = -math.inf
                raise StorageError(
                    f"{path} was replaced or removed while it was in use; nothing is read or written any more: stop "
                    f"what has {path.parent} open, and look at what lies there now with `zoo hub fsck {path.parent}`"
                )
        self._looked = time.monotonic()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, _WAIT_SECONDS, check_same_thread=False, isolation_level=None)
        connection.set_progress_handler(work.is_over, _STEPS)
        try:
            connection.executescript(_PRAGMAS)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_tables(self) -> None:
        version = self._version(self._writer)
        tables = self._writer.execute("SELECT type, name FROM sqlite_master").fetchall()
        if not tables:
            raise broken(self._path.parent, "has no tables")
        if not OLDEST <= version <= VERSION:
            raise StorageError(
                f"{self._path} has layout {version}, this Zoo reads {VERSION}; "
                "serve a fresh folder and push to it, or install the Zoo that made it"
            )
        strange = [f"has the {type_} {name}" for type_, name in tables if type_ in ("trigger", "view")]
        needed = TABLES if version == VERSION else TABLES - set(ADDED)
        missing = [f"lacks the table {name}" for name in sorted(needed - {name for _, name in tables})]
        for fault in (*strange, *missing):
            raise broken(self._path.parent, fault)
        if self._writer.execute("SELECT 1 FROM xorbs WHERE file GLOB '*/*' OR file IN ('', '.', '..')").fetchone():
            raise broken(self._path.parent, "names files outside of the folder")
        if version != VERSION:
            self._migrate()
        self._writer.execute("PRAGMA journal_mode=WAL")

    def _migrate(self) -> None:
        self._writer.execute("PRAGMA foreign_keys=OFF")  # else, dropping the old table empties those that refer to it
        with self.transaction() as connection:
            if (version := self._version(connection)) != VERSION:  # no other process has done it meanwhile
                migrate(connection, version)
                connection.execute(f"PRAGMA user_version={VERSION}")
        self._writer.execute("PRAGMA foreign_keys=ON")

    def _version(self, connection: sqlite3.Connection) -> int:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._fault(error) from None

    def _fault(self, error: sqlite3.DatabaseError) -> Exception:
        """Tell a damaged file from what else SQLite complains about."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return broken(self._path.parent, f"is damaged ({error})")
        return error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the database for one transaction: all of the block's changes, or none."""
        with self._turn(), self._faults():
            self._check_held()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            self._check_held()  # what went into a file that is gone is not acknowledged

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for the one writer, as long as the request may. Raise HttpError 503 when that is over."""
        if not self._lock.acquire(timeout=work.seconds_left()):
            raise busy()
        try:
            yield
        finally:
            self._lock.release()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what a query finds among what is committed."""
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._check_held()
        try:
            reader = getattr(self._local, "reader", None)
            if reader is None:
                reader = self._local.reader = self._connect()
                with self._lock:
                    self._readers.append(reader)
            rows: list[tuple[Any, ...]] = reader.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._fault(error) from None
        return rows

    def row(self, query: str, *values: object) -> tuple[Any, ...] | None:
        """Return the first row that a query finds."""
        return next(iter(self.rows(query, *values)), None)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Read the database as it is at one moment, whatever is written meanwhile."""
        self._check_held()
        with self._faults():
            connection = self._connect()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.close()

    def check(self) -> None:
        """Raise IntegrityError unless every page of the file can be read."""
        with self.snapshot() as connection:
            ((fault,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
        if fault != "ok":
            raise broken(self._path.parent, f"is damaged ({fault})")

    def back_up(self, target: Path) -> None:
        """Copy the database as it is at one moment, readable by its owner alone; a damaged one replaces nothing."""
        with self.snapshot() as source:
            copy_database(source, target)

    @property
    def changed(self) -> bool:
        """Tell whether anything was written by this process."""
        return self._writer.total_changes > 0

    def close(self) -> None:
        """Close every connection."""
        for connection in (*self._readers, self._writer):
            connection.close()


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """Copy a database, readable by its owner alone. Raise sqlite3.DatabaseError for a damaged one, and keep nothing."""
    part = target.with_name(f"{target.name}.part")
    _make_private(part)
    with closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
        ((fault,),) = copy.execute("PRAGMA quick_check(1)").fetchall()
    if fault != "ok":
        part.unlink()
        error = sqlite3.DatabaseError(fault)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error
    _finish(part, target)


def read_only(path: Path) -> sqlite3.Connection:
    """Open a database that is not written to, not even by files beside it unless a journal must be read."""
    journal = path.with_name(f"{path.name}-wal")
    immutable = "" if journal.exists() and journal.stat().st_size else "&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro{immutable}", uri=True)


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return 0, 0
    return status.st_dev, status.st_ino


def _create(path: Path) -> None:
    """Make a database under another name first: an empty store.db is one that was lost, never one that is new."""
    part = path.with_name(f"{path.name}.part")
    _make_private(part)
    with closing(sqlite3.connect(part, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for statement in STATEMENTS:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    _finish(part, path)


def _make_private(part: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):  # what a killed process left; SQLite would take it for ours
        part.with_name(part.name + ending).unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))


def _finish(part: Path, path: Path) -> None:
    os.replace(part, path)
    sync_folder(path.parent)
