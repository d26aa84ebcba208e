"""The Hub's SQLite database: one writer at a time, readers that never wait, everything committed is on disk."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.errors import StorageError

_VERSION = 3
_WAIT_SECONDS = 60
_SCHEMA = """
CREATE TABLE repos (
    id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE,
    author TEXT NOT NULL COLLATE NOCASE, private INTEGER NOT NULL, gated TEXT NOT NULL DEFAULT '',
    created TEXT NOT NULL, modified TEXT NOT NULL, downloads INTEGER NOT NULL DEFAULT 0, head TEXT NOT NULL,
    summary BLOB NOT NULL, epoch INTEGER NOT NULL DEFAULT 0, UNIQUE (type, name));
CREATE INDEX repos_by_modified ON repos (type, modified, id);
CREATE INDEX repos_by_created ON repos (type, created, id);
CREATE INDEX repos_by_downloads ON repos (type, downloads, id);
CREATE INDEX repos_by_author ON repos (type, author, modified, id);
CREATE VIRTUAL TABLE names USING fts5 (name, tokenize='trigram');
CREATE TABLE tags (
    tag TEXT NOT NULL, repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, PRIMARY KEY (tag, repo)) WITHOUT ROWID;
CREATE INDEX tags_by_repo ON tags (repo);
CREATE TABLE commits (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, oid TEXT NOT NULL, parent TEXT, tree TEXT NOT NULL,
    author TEXT NOT NULL, title TEXT NOT NULL, message TEXT NOT NULL, date TEXT NOT NULL, request TEXT NOT NULL,
    PRIMARY KEY (repo, oid)) WITHOUT ROWID;
CREATE INDEX commits_by_request ON commits (repo, request);
CREATE TABLE refs (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, name TEXT NOT NULL, oid TEXT NOT NULL,
    PRIMARY KEY (repo, name)) WITHOUT ROWID;
CREATE TABLE trees (oid TEXT PRIMARY KEY, entries BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE blobs (sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, added REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE uploads (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, sha256 TEXT NOT NULL REFERENCES blobs,
    time REAL NOT NULL, PRIMARY KEY (repo, sha256)) WITHOUT ROWID;
CREATE INDEX uploads_by_blob ON uploads (sha256, time);
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE, owner INTEGER NOT NULL,
    created TEXT NOT NULL);
CREATE TABLE namespaces (
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, namespace TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (user, namespace)) WITHOUT ROWID;
CREATE TABLE tokens (
    hash TEXT PRIMARY KEY, user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, label TEXT NOT NULL,
    role TEXT NOT NULL, created TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX tokens_by_user ON tokens (user);
CREATE TABLE grants (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    time TEXT NOT NULL, PRIMARY KEY (repo, user)) WITHOUT ROWID;
CREATE TABLE xorbs (
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, hash TEXT NOT NULL, file TEXT, lengths BLOB NOT NULL,
    time REAL NOT NULL, PRIMARY KEY (user, hash)) WITHOUT ROWID;
CREATE TABLE placements (
    user INTEGER NOT NULL, hash TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    sha256 TEXT NOT NULL REFERENCES blobs ON DELETE CASCADE, offset INTEGER NOT NULL,
    PRIMARY KEY (user, hash, first, last), FOREIGN KEY (user, hash) REFERENCES xorbs ON DELETE CASCADE) WITHOUT ROWID;
CREATE INDEX placements_by_blob ON placements (sha256);
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class Database:
    """A connection for writing behind a lock, and one for reading in every thread. Other processes may write too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._writer = self._connect()
        self._writer.execute("PRAGMA journal_mode=WAL")
        self._make_tables()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, _WAIT_SECONDS, check_same_thread=False, isolation_level=None)
        connection.executescript("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-16384;")
        return connection

    def _make_tables(self) -> None:
        with self.transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                for statement in _SCHEMA.strip().split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={_VERSION}")
            elif version != _VERSION:
                raise StorageError(
                    f"{self._path} has layout {version}, this Zoo reads {_VERSION}; "
                    "serve a fresh folder and push to it, or install the Zoo that made it"
                )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the database for one transaction: all of the block's changes, or none."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what a query finds among what is committed."""
        reader = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = self._connect()
            with self._lock:
                self._readers.append(reader)
        rows: list[tuple[Any, ...]] = reader.execute(query, values).fetchall()
        return rows

    def row(self, query: str, *values: object) -> tuple[Any, ...] | None:
        """Return the first row that a query finds."""
        return next(iter(self.rows(query, *values)), None)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Read the database as it is at one moment, whatever is written meanwhile."""
        connection = self._connect()
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.close()

    def back_up(self, target: Path) -> None:
        """Copy the database as it is at one moment."""
        copy = sqlite3.connect(target)
        source = self._connect()
        try:
            source.backup(copy)
        finally:
            source.close()
            copy.close()

    def close(self) -> None:
        """Close every connection."""
        for connection in (*self._readers, self._writer):
            connection.close()
