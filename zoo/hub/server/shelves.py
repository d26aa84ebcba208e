"""Files by sha256 in two levels of folders, which are opened one after the other and never through a link."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from zoo.errors import IntegrityError
from zoo.hub.server.folder import check_owner

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)  # what lies behind a link is not there
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Shelves:
    """The folder that blobs lie in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Return where a file lies. Raise IntegrityError for a name that is no hash, whatever a database says."""
        if not _HASH.fullmatch(sha256):
            raise IntegrityError(f"{sha256[:80]!r} is no sha256; what names it was not written by a Hub")
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    @contextmanager
    def _shelf(self, sha256: str, make: bool = False) -> Iterator[int]:
        """Open the folder of a file."""
        where = self.folder
        descriptor = os.open(where, _FOLDER)
        try:
            for name in self.path(sha256).relative_to(where).parts[:-1]:
                where = where / name
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(name, 0o700, dir_fd=descriptor)
                        os.fsync(descriptor)
                inner = os.open(name, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
                check_owner(where, os.fstat(descriptor))
            yield descriptor
        finally:
            os.close(descriptor)

    def open(self, sha256: str) -> BinaryIO:
        """Open a file to read. Raise OSError where there is none, or something else."""
        with self._shelf(sha256) as shelf:
            descriptor = os.open(sha256, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=shelf)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "No plain file", str(self.path(sha256)))
        return os.fdopen(descriptor, "rb", buffering=0)

    def size(self, sha256: str) -> int | None:
        """Return how large a file is; None where there is no plain file."""
        try:
            with self._shelf(sha256) as shelf:
                status = os.stat(sha256, dir_fd=shelf, follow_symlinks=False)
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def put(self, path: Path, sha256: str) -> None:
        """Give a file that is flushed its place. What lay there is replaced."""
        with self._shelf(sha256, make=True) as shelf:
            os.replace(path, sha256, dst_dir_fd=shelf)
            os.fsync(shelf)

    def take(self, sha256: str, path: Path) -> bool:
        """Move a file away; False where there is none."""
        try:
            with self._shelf(sha256) as shelf:
                os.replace(sha256, path, src_dir_fd=shelf)
        except OSError as error:
            if error.errno in _ABSENT:
                return False
            raise
        return True

    def names(self) -> Iterator[str]:
        """Yield the hashes that files are named by, as they come."""
        for path, status in files_below(self.folder):
            *levels, name = path.relative_to(self.folder).parts
            if _HASH.fullmatch(name) and levels == [name[:2], name[2:4]] and stat.S_ISREG(status.st_mode):
                yield name


def files_below(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield what lies below a folder and is no folder itself, links among it."""
    for where, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if not stat.S_ISDIR(status.st_mode):
                    yield Path(where, name), status
