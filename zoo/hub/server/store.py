"""What a Hub knows: repos, refs, commits, trees and blobs, in SQLite. Nothing of a repo is a path on disk."""

import fcntl
import hashlib
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from zoo.errors import StorageError
from zoo.hub.server.blobs import Blob, BlobStore
from zoo.paths import write_file

_SCHEMA = """
CREATE TABLE IF NOT EXISTS repos (
    id INTEGER PRIMARY KEY, type TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, private INTEGER NOT NULL,
    created TEXT NOT NULL, modified TEXT NOT NULL, downloads INTEGER NOT NULL DEFAULT 0, UNIQUE (type, name));
CREATE TABLE IF NOT EXISTS commits (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, oid TEXT NOT NULL, parent TEXT, title TEXT NOT NULL,
    message TEXT NOT NULL, date TEXT NOT NULL, PRIMARY KEY (repo, oid));
CREATE TABLE IF NOT EXISTS refs (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, name TEXT NOT NULL, oid TEXT NOT NULL,
    PRIMARY KEY (repo, name));
CREATE TABLE IF NOT EXISTS blobs (sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, git_sha1 TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (
    repo INTEGER NOT NULL, oid TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL REFERENCES blobs,
    lfs INTEGER NOT NULL, PRIMARY KEY (repo, oid, path),
    FOREIGN KEY (repo, oid) REFERENCES commits ON DELETE CASCADE) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, sha256 TEXT NOT NULL REFERENCES blobs,
    PRIMARY KEY (repo, sha256)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS repos_by_time ON repos (type, modified DESC);
"""


@dataclass(frozen=True)
class Repo:
    """One repo's row."""

    id: int
    type: str
    name: str
    private: bool
    created: str
    modified: str
    downloads: int


@dataclass(frozen=True)
class Commit:
    """One commit's row."""

    oid: str
    parent: str | None
    title: str
    message: str
    date: str


@dataclass(frozen=True)
class File:
    """One file of a tree."""

    path: str
    blob: Blob
    lfs: bool


class Store:
    """A Hub's folder: store.db, blobs/, the token for writing, the secret that signs upload addresses."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._lock_file = open(folder / "lock", "w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock_file.close()
            raise StorageError(
                f"another server has the store {folder} open; stop it, or use its address with --hub"
            ) from None
        self.blobs = BlobStore(folder)
        self.token = _secret(folder / "token")
        self.signing_key = _secret(folder / "signing_key").encode()
        self._lock = threading.RLock()
        self._database = sqlite3.connect(folder / "store.db", check_same_thread=False, isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;" + _SCHEMA
        )

    def close(self) -> None:
        """Close the database and let go of the folder."""
        self._database.close()
        self._lock_file.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the database for one transaction."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    # ---------------------------------------------------------------------------------------- repos

    def create_repo(self, type_: str, name: str, private: bool) -> bool:
        """Make a repo with an empty first commit; False when there is one of that name."""
        now = _now()
        with self.transaction() as database:
            if database.execute("SELECT 1 FROM repos WHERE type=? AND name=?", (type_, name)).fetchone():
                return False
            row = (type_, name, private, now, now)
            cursor = database.execute("INSERT INTO repos (type,name,private,created,modified) VALUES (?,?,?,?,?)", row)
            repo = cursor.lastrowid
            oid = hashlib.sha1(f"{repo} {type_} {name} {now}".encode(), usedforsecurity=False).hexdigest()
            database.execute("INSERT INTO commits VALUES (?,?,?,?,?,?)", (repo, oid, None, "initial commit", "", now))
            database.execute("INSERT INTO refs VALUES (?,?,?)", (repo, "refs/heads/main", oid))
        return True

    def repo(self, type_: str, name: str) -> Repo | None:
        """Return a repo by name."""
        return next(iter(self._repos("type=? AND name=?", type_, name)), None)

    def repos(self, type_: str, *, private: bool) -> list[Repo]:
        """Return the repos of a type, those changed last first."""
        return self._repos("type=? AND private<=? ORDER BY modified DESC, id DESC", type_, private)

    def _repos(self, where: str, *values: object) -> list[Repo]:
        columns = "id, type, name, private, created, modified, downloads"
        rows = self._rows(f"SELECT {columns} FROM repos WHERE {where}", *values)
        return [Repo(row[0], row[1], row[2], bool(row[3]), *row[4:]) for row in rows]  # type: ignore[arg-type]

    def delete_repo(self, repo: Repo) -> None:
        """Forget a repo; blobs stay until they are collected."""
        with self.transaction() as database:
            database.execute("DELETE FROM repos WHERE id=?", (repo.id,))

    def set_private(self, repo: Repo, private: bool) -> None:
        """Show a repo to everybody or not."""
        with self.transaction() as database:
            database.execute("UPDATE repos SET private=? WHERE id=?", (private, repo.id))

    # ---------------------------------------------------------------------------------------- refs and commits

    def refs(self, repo: Repo) -> dict[str, str]:
        """Return the commit of every ref, by its full name."""
        return dict(self._rows("SELECT name, oid FROM refs WHERE repo=? ORDER BY name", repo.id))  # type: ignore[arg-type]

    def resolve(self, repo: Repo, revision: str) -> str | None:
        """Return the commit that a branch, a tag, a full ref or a commit id names."""
        for name in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}"):
            if rows := self._rows("SELECT oid FROM refs WHERE repo=? AND name=?", repo.id, name):
                return str(rows[0][0])
        rows = self._rows("SELECT oid FROM commits WHERE repo=? AND oid=?", repo.id, revision)
        return str(rows[0][0]) if rows else None

    def set_ref(self, repo: Repo, name: str, oid: str) -> bool:
        """Make a ref; False when there is one."""
        with self.transaction() as database:
            return database.execute("INSERT OR IGNORE INTO refs VALUES (?,?,?)", (repo.id, name, oid)).rowcount == 1

    def delete_ref(self, repo: Repo, name: str) -> bool:
        """Remove a ref; False when there is none."""
        with self.transaction() as database:
            return database.execute("DELETE FROM refs WHERE repo=? AND name=?", (repo.id, name)).rowcount == 1

    def history(self, repo: Repo, oid: str) -> list[Commit]:
        """Return a commit and its ancestors, newest first."""
        query = """WITH RECURSIVE line(oid, depth) AS (SELECT ?, 0 UNION ALL
                   SELECT parent, depth + 1 FROM commits JOIN line USING (oid) WHERE repo=? AND parent IS NOT NULL)
                   SELECT oid, parent, title, message, date FROM line JOIN commits USING (oid)
                   WHERE repo=? ORDER BY depth"""
        return [Commit(*row) for row in self._rows(query, oid, repo.id, repo.id)]  # type: ignore[arg-type]

    def files(self, repo: Repo, oid: str) -> dict[str, File]:
        """Return a commit's files by path, sorted."""
        query = """SELECT path, sha256, size, git_sha1, lfs FROM files JOIN blobs USING (sha256)
                   WHERE repo=? AND oid=? ORDER BY path"""
        rows = self._rows(query, repo.id, oid)
        return {str(row[0]): File(str(row[0]), Blob(*row[1:4]), bool(row[4])) for row in rows}  # type: ignore[arg-type]

    def commit(
        self, repo: Repo, branch: str, parent: str, files: dict[str, File], title: str, message: str
    ) -> str | None:
        """Put a commit on a branch whose head is `parent`; None when the head has moved on."""
        now = _now()
        listing = "".join(f"{path} {file.blob.sha256} {file.lfs}\n" for path, file in sorted(files.items()))
        text = f"{repo.id} {parent} {title} {message} {now} {listing}"
        oid = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        with self.transaction() as database:
            moved = database.execute(
                "UPDATE refs SET oid=? WHERE repo=? AND name=? AND oid=?",
                (oid, repo.id, f"refs/heads/{branch}", parent),
            )
            if moved.rowcount != 1:
                return None
            database.execute("INSERT INTO commits VALUES (?,?,?,?,?,?)", (repo.id, oid, parent, title, message, now))
            rows = [(repo.id, oid, path, file.blob.sha256, file.lfs) for path, file in files.items()]
            database.executemany("INSERT INTO files VALUES (?,?,?,?,?)", rows)
            database.execute("UPDATE repos SET modified=? WHERE id=?", (now, repo.id))
        return oid

    # ---------------------------------------------------------------------------------------- blobs

    def add_blob(self, repo: Repo, blob: Blob) -> None:
        """Note a blob that lies in the folder, and that this repo has had it uploaded."""
        with self.transaction() as database:
            database.execute("INSERT OR IGNORE INTO blobs VALUES (?,?,?)", (blob.sha256, blob.size, blob.git_sha1))
            database.execute("INSERT OR IGNORE INTO uploads VALUES (?,?)", (repo.id, blob.sha256))

    def blob_of(self, repo: Repo, sha256: str) -> Blob | None:
        """Return a blob that this very repo was given: knowing a hash is no right to the bytes."""
        query = "SELECT sha256, size, git_sha1 FROM blobs JOIN uploads USING (sha256) WHERE repo=? AND sha256=?"
        rows = self._rows(query, repo.id, sha256)
        return Blob(*rows[0]) if rows else None  # type: ignore[arg-type]


def _secret(path: Path) -> str:
    """Return the secret that a file keeps, made at first use, readable by its owner alone."""
    if not path.exists():
        write_file(path, secrets.token_urlsafe(32).encode())
        os.chmod(path, 0o600)
    return path.read_text().strip()


def _now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
