"""The files below a folder, as deep as they lie, without those that systems hide there."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from zoo.data.images.pictures import SUFFIXES
from zoo.errors import DataError


def pictures_in(paths: Sequence[Path]) -> list[Path]:
    """Return the pictures that paths name: files as they are, and of folders all pictures below them, sorted."""
    found: list[Path] = []
    for path in paths:
        inside = pictures_below(path) if path.is_dir() else []
        if path.is_dir() and not inside:
            raise DataError(f"no images in {path}; give files, or a folder of images")
        found += inside or [path]
    return found


def pictures_below(folder: Path) -> list[Path]:
    """Return the pictures in a folder and all within it, sorted, so that the order is that of no file system."""
    return files_below(folder, SUFFIXES)


def files_below(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the plain files of these suffixes in a folder and all within it, sorted; none where it is not there.

    Links are followed, but not in circles; names that begin with a dot are passed over, as `._cat.jpg` and `.DS_Store`.
    """
    return sorted(path for path in _walk(folder, ()) if path.name.lower().endswith(suffixes))


def _walk(folder: Path, above: tuple[str, ...]) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in above:
        return
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except FileNotFoundError:
        return
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}; check it") from None
    for entry in visible:
        if entry.is_dir():
            yield from _walk(folder / entry.name, (*above, real))
        elif entry.is_file():
            yield folder / entry.name
