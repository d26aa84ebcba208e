"""The sha256 of files, kept beside what tells that a file has not changed since."""

import hashlib
import os
import stat
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from zoo.errors import DataError
from zoo.files import cache_folder, storage_errors, write_file

_Known = dict[str, tuple[int, int, int, int, str]]
# A file that changes twice within one tick of its file system's clock looks the same after both, as git knows too
_TICK = 2_000_000_000


def content_hashes(folder: Path, paths: Sequence[Path]) -> dict[Path, str]:
    """Return the sha256 of files in a folder, reading those alone that are new or have changed.

    What counts as changed is another inode, size, or time of change, which the kernel sets and nobody else can.
    """
    index = cache_folder() / "hashes" / f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()}.json"
    known = _read(index)
    now = time.time_ns()
    names = {path: path.relative_to(folder).as_posix() for path in paths}
    marks = {path: _mark(path) for path in paths}
    hashes = {
        path: found[4] for path in paths if (found := known.get(names[path])) is not None and found[:4] == marks[path]
    }
    if missing := [path for path in paths if path not in hashes]:
        with ThreadPoolExecutor() as pool:
            hashes |= zip(missing, pool.map(_hash, missing), strict=True)
    settled: _Known = {
        names[path]: (*marks[path], hashes[path]) for path in paths if max(marks[path][2:]) < now - _TICK
    }
    if settled != known:
        with storage_errors(f"writing {index}"):
            index.parent.mkdir(parents=True, exist_ok=True)
            write_file(index, msgspec.json.encode(settled))
    return hashes


def _read(index: Path) -> _Known:
    try:
        return msgspec.json.decode(index.read_bytes(), type=_Known)
    except (OSError, msgspec.MsgspecError):
        return {}


def _mark(path: Path) -> tuple[int, int, int, int]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; check it") from None
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{path} is no file; remove it")
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _hash(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; check it") from None


def common_hashes(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the sha256 of files that lie anywhere."""
    whole = {path: path.absolute() for path in paths}
    if not paths:
        return {}
    hashes = content_hashes(Path(os.path.commonpath([path.parent for path in whole.values()])), list(whole.values()))
    return {path: hashes[place] for path, place in whole.items()}
