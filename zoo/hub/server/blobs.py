"""Blobs by sha256 in two levels of folders: hashed while they are written, then renamed, read-only."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from zoo.paths import sync_folder


@dataclass(frozen=True)
class Blob:
    """What is known of a blob. `git_sha1` is its id as a regular file in git."""

    sha256: str
    size: int
    git_sha1: str


class BlobWriter:
    """Take bytes in, hash them, and keep them when told so. The size must be known: git's hash begins with it."""

    def __init__(self, store: "BlobStore", size: int) -> None:
        self._store = store
        self._size = size
        self._written = 0
        self._sha256 = hashlib.sha256()
        self._sha1 = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        descriptor, self._path = tempfile.mkstemp(dir=store.temporary)
        self._file = os.fdopen(descriptor, "wb")

    def write(self, chunk: bytes) -> None:
        """Add bytes."""
        self._file.write(chunk)
        self._sha256.update(chunk)
        self._sha1.update(chunk)
        self._written += len(chunk)

    def finish(self, expected: str | None = None) -> Blob | None:
        """Keep the blob and return it; None, with nothing kept, when size or hash are not the expected ones."""
        blob = Blob(self._sha256.hexdigest(), self._written, self._sha1.hexdigest())
        if self._written != self._size or expected not in (None, blob.sha256):
            self.discard()
            return None
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.chmod(self._path, 0o444)
        target = self._store.path(blob.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self._path, target)
        sync_folder(target.parent)
        return blob

    def discard(self) -> None:
        """Forget what was written."""
        self._file.close()
        Path(self._path).unlink(missing_ok=True)


class BlobStore:
    """The folder `blobs` of a Hub, and the folder for what is being written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "blobs"
        self.temporary = folder / "temporary"
        for part in (self.folder, self.temporary):
            part.mkdir(parents=True, exist_ok=True)
        for left in self.temporary.iterdir():  # of a server that was killed
            left.unlink()

    def path(self, sha256: str) -> Path:
        """Return where a blob lies. The hash comes from the store's own tables, or is 64 hexadecimal digits."""
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob, never through a link."""
        return os.fdopen(os.open(self.path(sha256), os.O_RDONLY | os.O_NOFOLLOW), "rb")

    def add(self, content: bytes) -> Blob:
        """Keep bytes that are in memory already."""
        writer = BlobWriter(self, len(content))
        writer.write(content)
        blob = writer.finish()
        assert blob is not None, "the size is that of the content"
        return blob
