"""Where Zoo keeps things, and how a file or folder gets its final name."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from zoo.errors import IntegrityError, StorageError


def cache_folder() -> Path:
    """Return the folder for what can be made again: `$ZOO_CACHE`, or `zoo` in the user's cache folder."""
    if configured := os.environ.get("ZOO_CACHE"):
        return Path(configured).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "zoo"


def user_registries() -> list[Path]:
    """Return the paths of the user's own registries: `$ZOO_REGISTRY`, a comma list of files, or the configured one."""
    if configured := os.environ.get("ZOO_REGISTRY"):
        return [Path(item.strip()).expanduser() for item in configured.split(",") if item.strip()]
    return [Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "zoo" / "registry.json"]


def inside(folder: Path, name: str, *, follow: bool = True) -> Path | None:
    """Return the path below a folder that a name from outside stands for; None where it could be another place.

    On any system, that is. Without `follow` the folder, and those that the name goes through, may not be links either.
    """
    parts = PurePosixPath(name)
    if parts.is_absolute() or not parts.parts or ".." in parts.parts or re.search(r"[\\\0]|^[A-Za-z]:", name):
        return None
    path = folder / parts
    between = path.parents[: len(parts.parts)]
    return None if not follow and any(place.is_symlink() for place in between) else path


def is_special(path: Path) -> bool:
    """Tell whether a path is a pipe, a socket or a device, which may have no end."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False  # whoever opens it says what is wrong
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def check_plain(path: Path) -> None:
    """Raise IntegrityError for a pipe, a socket or a device in the place of a file that somebody gave."""
    if is_special(path):
        raise IntegrityError(f"{path} is a pipe or a device and no file; get a fresh copy")


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, so that a rename inside it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turn an OSError of the block into a StorageError that says what was being done."""
    try:
        yield
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        message = f"{doing} failed:{where} {error.strerror or error}; free space or choose a folder that can be written"
        raise StorageError(message) from error
    except Exception as error:
        if "I/O error" not in str(error):  # safetensors has an error of its own for everything
            raise
        message = f"{doing} failed: {error}; free space or choose a folder that can be written"
        raise StorageError(message) from error


def write_file(path: Path, content: bytes) -> None:
    """Write a whole file under its final name or not at all: temporary file, fsync, rename, fsync of the folder."""
    with new_file(path) as file:
        file.write(content)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Fill a temporary file in the block; give it its final name, flushed, when the block ends well."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Fill a temporary folder in the block; give it its final name, files flushed, when the block ends well.

    An existing folder of that name is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                with open(file, "rb") as opened:
                    os.fsync(opened.fileno())
            else:
                sync_folder(file)
        sync_folder(temporary)
        os.chmod(temporary, 0o777 & ~_umask())
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".old", dir=path.parent))
            os.replace(path, old / path.name)
            os.replace(temporary, path)
            shutil.rmtree(old)
        else:
            os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(path.parent)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
