"""Blobs by sha256 in two levels of folders: hashed while they are written, then renamed, read-only."""

import hashlib
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from zoo.hub.server import regular, work
from zoo.hub.server.database import Database
from zoo.hub.server.http import HttpError
from zoo.hub.server.shelves import Shelves

_TOUCH_SECONDS = 3600


@dataclass(frozen=True)
class Blob:
    """What is known of a blob."""

    sha256: str
    size: int


@dataclass(frozen=True)
class NewBlob(Blob):
    """A blob that is on disk, whole, under a temporary name."""

    path: Path


class BlobWriter:
    """Take bytes in, hash them, and keep them when told so. A blob that is not kept leaves nothing behind."""

    def __init__(self, store: "BlobStore", limit: int) -> None:
        self._store = store
        self._limit = limit
        self._digest = hashlib.sha256()
        self.path = store.temporary / secrets.token_hex(16)
        self._file = open(self.path, "xb", buffering=0)
        self.size = 0

    def write(self, chunks: Iterable[bytes | memoryview]) -> None:
        """Add bytes. Raise HttpError 413 beyond the announced size."""
        for chunk in chunks:
            self.size += len(chunk)
            if self.size > self._limit:
                raise HttpError(413, f"The body is larger than the {self._limit:,} bytes announced")
            self._digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[self._file.write(view) :]

    def finish(self, expected: str | None = None) -> "NewBlob | None":
        """Flush what was written; None, with nothing left, when its hash is not the expected one."""
        blob = NewBlob(self._digest.hexdigest(), self.size, self.path)
        if expected not in (None, blob.sha256):
            self.discard()
            return None
        os.fsync(self._file.fileno())
        os.fchmod(self._file.fileno(), 0o444)
        self._file.close()
        return blob

    def discard(self) -> None:
        """Forget what was written."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class BlobStore:
    """The folder `blobs` of a Hub, the folder for what is being written, and which repo was given which blob."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.shelves = Shelves(folder / "blobs")
        self.temporary = folder / "temporary"
        self.quarantine = folder / "quarantine"
        self._trash = folder / "trash"
        self._database = database
        for part in (self.shelves.folder, self.temporary, self._trash):
            part.mkdir(mode=0o700, exist_ok=True)

    def clear_temporary(self) -> None:
        """Remove what a server that was killed had not finished."""
        for left in self.temporary.iterdir():
            left.unlink()

    @contextmanager
    def removing(self, connection: sqlite3.Connection) -> Iterator[Callable[[str], None]]:
        """Give a function that takes blobs away; where the transaction around does not end well, they come back."""
        self.restore(connection)

        def remove(sha256: str) -> None:
            self.shelves.take(sha256, self._trash / sha256)

        try:
            yield remove
        except BaseException:
            self.restore(connection)
            raise

    def restore(self, connection: sqlite3.Connection) -> None:
        """Empty the trash: what is still listed was taken away by a collector that did not come to its end."""
        for path in self._trash.iterdir():
            listed = connection.execute("SELECT 1 FROM blobs WHERE sha256=?", (path.name,)).fetchone()
            if listed and self.shelves.size(path.name) is None:
                self.shelves.put(path, path.name)
            else:
                path.unlink()

    def path(self, sha256: str) -> Path:
        """Return where a blob lies."""
        return self.shelves.path(sha256)

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob, never through a link."""
        return self.shelves.open(regular.known(self._database, sha256))

    def open_fetched(self, sha256: str) -> BinaryIO:
        """Open a blob that upstream gave. Raise OSError for any other: that upstream lists a hash is no right to it."""
        known = regular.known(self._database, sha256)
        if not self._database.row("SELECT 1 FROM fetched WHERE sha256=?", known):
            raise FileNotFoundError(sha256)
        return self.shelves.open(known)

    def read(self, sha256: str, limit: int) -> bytes:
        """Return a blob's first bytes."""
        with self.open(sha256) as file:
            return file.read(limit)

    def check_space(self, size: int, reserve: int) -> None:
        """Raise HttpError 507 unless so many bytes fit on the disk and leave the reserve free."""
        if shutil.disk_usage(self.temporary).free - reserve < size:
            raise HttpError(507, "The disk of this Hub is full")

    def place(self, blobs: Iterable[NewBlob]) -> None:
        """Give new blobs their names, on disk for good: before the transaction that keeps them, which then is short."""
        for blob in blobs:
            work.check()
            self._place(blob)

    def keep(self, connection: sqlite3.Connection, repo: int, blobs: Iterable[NewBlob]) -> None:
        """Note new blobs as the repo's, and place those that are not: in a transaction, so that no collector runs."""
        now = time.time()
        for blob in blobs:
            self._place(blob)
            connection.execute(
                "INSERT INTO blobs VALUES (?,?,?) ON CONFLICT DO UPDATE SET added=excluded.added",
                (blob.sha256, blob.size, now),
            )
            connection.execute("INSERT OR REPLACE INTO uploads VALUES (?,?,?)", (repo, blob.sha256, now))

    def _place(self, blob: NewBlob) -> None:
        if self.shelves.size(blob.sha256) == blob.size:
            blob.path.unlink(missing_ok=True)
            return
        try:
            self.shelves.put(blob.path, blob.sha256)
        except FileNotFoundError:
            raise HttpError(503, "A file was collected at the same moment; send it again") from None

    def write(self, content: bytes) -> NewBlob:
        """Put bytes that are in memory already on disk."""
        writer = BlobWriter(self, len(content))
        try:
            writer.write([content])
            blob = writer.finish()
        except BaseException:
            writer.discard()
            raise
        assert blob is not None, "no hash was expected"
        return blob

    def given(self, repo: int, sha256: str) -> Blob | None:
        """Return a blob that this very repo was given: knowing a hash is no right to the bytes.

        It then stays for a day, so that a commit may still name it.
        """
        row = self._uploaded(repo, sha256)
        if row is None:
            return None
        if (now := time.time()) - row[2] > _TOUCH_SECONDS:
            with self._database.transaction() as connection:
                change = "UPDATE uploads SET time=? WHERE repo=? AND sha256=?"
                if not connection.execute(change, (now, repo, sha256)).rowcount:
                    return None
        return Blob(row[0], row[1])

    def uploaded(self, repo: int, sha256: str) -> Blob | None:
        """Return a blob that this very repo was given, for a commit that names it now, and makes sure of it then."""
        row = self._uploaded(repo, sha256)
        return Blob(row[0], row[1]) if row else None

    def _uploaded(self, repo: int, sha256: str) -> tuple[str, int, float] | None:
        query = "SELECT sha256, size, time FROM blobs JOIN uploads USING (sha256) WHERE repo=? AND sha256=?"
        row = self._database.row(query, repo, sha256)
        return (row[0], row[1], row[2]) if row and self.shelves.size(sha256) is not None else None
