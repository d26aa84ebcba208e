"""A store's folder: ours, private, and without links where a store has none, before anything in it is opened."""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import IntegrityError, StorageError

_FLAT = ("temporary", "trash", "xorbs")
_FOLDERS = (*_FLAT, "blobs", "quarantine", "unnamed", "log")
_DATABASE = ("store.db", "store.db-wal", "store.db-shm", "store.db-journal")
_PRIVATE = (*_DATABASE, "export.db", "lock", "token")
_FILES = (*_PRIVATE, "log/access.jsonl")
_SECTOR = 512


def holds_store(folder: Path) -> bool:
    """Tell whether a store lies in a folder, or what is left of one."""
    return any(os.path.lexists(folder / part) for part in (*_DATABASE, "export.db", "blobs"))


def broken(folder: Path, fault: str) -> IntegrityError:
    """Return the error for a store whose database is not what it should be."""
    return IntegrityError(
        f"the Hub in {folder} is not opened, since its store.db {fault}; serve a backup of it, "
        f"or `zoo hub rebuild {folder}` makes another store.db from the last export and the blobs"
    )


def prepare(folder: Path) -> None:
    """Make a folder ready to be opened as a store; it is made where there is none."""
    _check_link(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not holds_store(folder) and folder.stat().st_mode & 0o077 and set(os.listdir(folder)) - {"lost+found", "lock"}:
        raise StorageError(
            f"{folder} holds other files, and others may read it: a Hub makes its folder private; choose an empty "
            f"folder, or `chmod 700 {folder}`"
        )
    secure(folder)
    if holds_store(folder):
        check_present(folder)


def check_present(folder: Path) -> None:
    """Raise IntegrityError where the database is gone, or of a size that none has. It is not opened.

    To open and close it would drop the locks that this process has by SQLite.
    """
    try:
        size = os.lstat(folder / "store.db").st_size
    except FileNotFoundError:
        raise broken(folder, "is missing") from None
    if size < _SECTOR or size % _SECTOR:  # no page is smaller
        raise broken(folder, "is cut, or no database" if size else "is empty")


def check(folder: Path) -> None:
    """Raise IntegrityError for links and the like in a store's folder, StorageError for what is not ours."""
    with _opened(folder) as descriptor:
        _check_parts(folder, descriptor)


def secure(folder: Path) -> None:
    """Make a store's folder private, once it is checked.

    Afterwards nobody else can change what a name in it stands for, so its parts may be opened by path.
    """
    with _opened(folder) as descriptor:
        files = _check_parts(folder, descriptor)
        if os.fstat(descriptor).st_mode & 0o077:
            os.fchmod(descriptor, 0o700)
            files = _check_parts(folder, descriptor)  # now that nobody can change them any more
        for name in _PRIVATE:
            if name in files and files[name].st_mode & 0o077:
                os.chmod(name, 0o600, dir_fd=descriptor)


def _check_link(folder: Path) -> None:
    if folder.is_symlink():
        raise IntegrityError(f"{folder} is a link; give the folder that it leads to: {folder.resolve()}")


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    _check_link(folder)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        check_owner(folder, os.fstat(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


def check_owner(path: Path, status: os.stat_result) -> None:
    """Raise StorageError for what belongs to another user, who could change it at any time."""
    if status.st_uid != os.geteuid():
        raise StorageError(
            f"{path} belongs to user {status.st_uid}, not to user {os.geteuid()}; run this as that user, or chown it"
        )


def _check_parts(folder: Path, descriptor: int) -> dict[str, os.stat_result]:
    """Check everything that may be opened by path; return the files that are there."""
    for name in _FOLDERS:
        _check_part(folder, descriptor, name, stat.S_ISDIR, "folder")
    found = {name: _check_part(folder, descriptor, name, stat.S_ISREG, "plain file") for name in _FILES}
    files = {name: status for name, status in found.items() if status is not None}
    for name in _DATABASE:
        if name in files and files[name].st_nlink > 1:
            raise IntegrityError(
                f"{folder / name} has a second name, which breaks SQLite; copy it to a file of its own"
            )
    for name in _FLAT:
        if not os.path.lexists(folder / name):
            continue
        with os.scandir(folder / name) as entries:
            for entry in entries:
                if not entry.is_file(follow_symlinks=False) and os.path.lexists(entry):
                    raise IntegrityError(_strange(Path(entry), "plain file"))
    return files


def _check_part(
    folder: Path, descriptor: int, name: str, right: Callable[[int], bool], kind: str
) -> os.stat_result | None:
    try:
        status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not right(status.st_mode):
        raise IntegrityError(_strange(folder / name, kind))
    check_owner(folder / name, status)
    return status


def _strange(path: Path, kind: str) -> str:
    return f"{path} is no {kind}, as a Hub makes it, but a link or the like, which is not followed; move it away"


class FolderLock:
    """A store's folder that this process has to itself: to serve it, or to replace its files."""

    def __init__(self, folder: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        self._descriptor = os.open(folder / "lock", flags, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(self._descriptor), os.lstat(folder / "lock")):
                raise BlockingIOError("the lock was replaced meanwhile")
        except OSError:
            self.close()
            raise StorageError(
                f"another server has the store {folder} open, or a backup or rebuild writes to it; "
                "stop it, or use its address with --hub"
            ) from None

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._descriptor)

    def __enter__(self) -> "FolderLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
