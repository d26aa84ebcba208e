"""A file that is being fetched: written from beginning to end, hashed on the way, kept when the work breaks off.

What lies in it is always a beginning of the file, so that its size says how far it got, and another process can go on.
It has no final name before its size and hash are right.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from zoo.errors import StorageError
from zoo.hub.owner import NOBODY, is_gone, new_owner
from zoo.hub.records import WantedFile

SUFFIX = ".incomplete"
_CHUNK = 1024 * 1024


def check_space(blobs: Path, wanted: Iterable[WantedFile], repo: str) -> None:
    """Raise StorageError unless what is still to come of these files fits on the disk."""
    needed = 0
    for item in wanted:
        begun = 0
        for path in blobs.glob(f"{item.etag}.*{SUFFIX}"):
            with suppress(FileNotFoundError):  # finished, or taken over, at this moment
                begun = max(begun, path.stat().st_size)
        needed += max(0, item.size - begun)
    disk = next(path for path in (blobs, *blobs.parents) if path.is_dir())
    if needed > (free := shutil.disk_usage(disk).free):
        raise StorageError(
            f"{repo} takes {needed / 1e6:,.1f} MB and the disk of {disk} has {free / 1e6:,.1f} MB; free some, "
            "or set HF_HOME"
        )


class Digests:
    """The sha256 of a file, and its id as a regular file in git where that is what names it."""

    def __init__(self, wanted: WantedFile) -> None:
        self._wanted = wanted
        self._sha256 = hashlib.sha256()
        self._sha1: Any = None
        if len(wanted.etag) == 40:
            self._sha1 = hashlib.sha1(b"blob %d\0" % wanted.size, usedforsecurity=False)
        self.size = 0

    def update(self, data: bytes | bytearray) -> None:
        """Take in the next bytes."""
        self._sha256.update(data)
        if self._sha1 is not None:
            self._sha1.update(data)
        self.size += len(data)

    def sha256(self) -> str:
        """Return the sha256 so far."""
        return self._sha256.hexdigest()

    def found(self) -> str:
        """Return the hash that was compared, in words."""
        return f"git id {self._sha1.hexdigest()}" if self._wanted.sha256 is None else f"sha256 {self.sha256()}"

    def right(self) -> bool:
        """Tell whether these are the bytes that are wanted."""
        wanted = self._wanted
        named = self._sha1.hexdigest() if self._sha1 is not None else self.sha256()
        return self.size == wanted.size and named == wanted.etag and wanted.sha256 in (None, self.sha256())


def digests_of(path: Path, wanted: WantedFile) -> Digests:
    """Hash a file that is there."""
    digests = Digests(wanted)
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digests.update(chunk)
    return digests


class Partial:
    """A file on its way into a folder of blobs. What an earlier process left of it is hashed and gone on with."""

    def __init__(self, blobs: Path, wanted: WantedFile) -> None:
        self.wanted = wanted
        self.finished = False
        self._blobs = blobs
        self._path = blobs / f"{wanted.etag}.{new_owner()}{SUFFIX}"
        blobs.mkdir(parents=True, exist_ok=True)
        self._take_over()
        self.digests = Digests(wanted)
        self._file = open(self._path, "a+b", opener=_unlinked)
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK):
            self.digests.update(chunk)
        if self.digests.size > wanted.size:
            self.restart()

    @property
    def size(self) -> int:
        """Return how many bytes there are."""
        return self.digests.size

    def append(self, data: bytes | bytearray) -> None:
        """Add the next bytes."""
        self._file.write(data)
        self.digests.update(data)

    def restart(self) -> None:
        """Forget what there is."""
        self._file.truncate(0)
        self.digests = Digests(self.wanted)

    def publish(self, target: Path) -> bool:
        """Give the file its final name if it is right; tell whether it was."""
        if not self.digests.right():
            return False
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._path, target)
        self.finished = True
        return True

    def discard(self) -> None:
        """Remove the file: its bytes are wrong."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        self.finished = True

    def release(self) -> None:
        """Leave the file to whoever comes next."""
        if self.finished:
            return
        with suppress(OSError):  # of a disk that is full: what did not reach it will be fetched again
            self._file.close()
        self.finished = True
        with suppress(OSError):
            if self._path.stat().st_size == 0:
                self._path.unlink()
            else:
                os.replace(self._path, self._path.with_name(f"{self.wanted.etag}.{NOBODY}-{new_owner()}{SUFFIX}"))

    def _take_over(self) -> None:
        """Make the longest beginning that a dead process left this one's, and remove the others.

        One whose process may still run, on another machine, is copied: its writer could write on.
        """
        left = sorted(leftovers(self._blobs, self.wanted.etag), key=lambda item: -item[1])
        for path, _, owner in left:
            with suppress(OSError):
                if is_gone(owner) and not self._path.exists():
                    os.rename(path, self._path)
                elif is_gone(owner):
                    path.unlink()
                elif not self._path.exists() and not is_of_this_machine(owner):
                    _copy(path, self._path)


def is_of_this_machine(owner: str) -> bool:
    """Tell whether a name was given here, so that its process, if not gone, is at work."""
    return owner.partition("-")[0] == new_owner().partition("-")[0]


def leftovers(blobs: Path, etag: str = "") -> list[tuple[Path, int, str]]:
    """Return the path, size and owner of every file, or those of one name, that is on its way or was given up."""
    found = []
    for path in blobs.glob(f"{etag}*{SUFFIX}"):
        owner = path.name.removesuffix(SUFFIX).partition(".")[2]
        with suppress(OSError):
            described = path.lstat()
            if stat.S_ISREG(described.st_mode):
                found.append((path, described.st_size, owner))
    return found


def _unlinked(path: str, flags: int) -> int:
    """Open a file that is no link: what is written must not land elsewhere."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _copy(source: Path, target: Path) -> None:
    with open(source, "rb", opener=_unlinked) as reading, open(target, "xb") as writing:
        while chunk := reading.read(_CHUNK):
            writing.write(chunk)
