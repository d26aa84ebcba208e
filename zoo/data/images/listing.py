"""The files below a folder, as deep as they lie, without those that systems hide there."""

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from zoo.data.images.pictures import SUFFIXES
from zoo.errors import DataError, NotFoundError

_BESIDE = (
    ".csv .db .html .ini .json .jsonl .md .npy .npz .parquet .py .rst .safetensors .toml .tsv .txt .url .xml .yaml .yml"
).split()
_log = logging.getLogger("zoo")


def pictures_in(paths: Sequence[Path]) -> list[Path]:
    """Return the pictures that paths name: files as they are, and of folders all pictures below them, sorted."""
    found: list[Path] = []
    for path in paths:
        inside = pictures_below(path) if path.is_dir() else []
        if path.is_dir():
            unread = unread_in(path)
            if not inside:
                raise DataError(f"no images in {path}{unread and f', but {unread}'}; give files, or a folder of images")
            if unread:
                _log.warning("left out: %s", unread)
        found += inside or [path]
    if found and not any(os.path.lexists(path) for path in found):
        raise NotFoundError(f"no picture {found[0]}; check the path")
    return found


def pictures_below(folder: Path) -> list[Path]:
    """Return the pictures in a folder and all within it, sorted, so that the order is that of no file system."""
    return files_below(folder, SUFFIXES)


def files_below(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the plain files of these suffixes in a folder and all within it, sorted; none where it is not there.

    Links are followed, but not in circles; names that begin with a dot are passed over, as `._cat.jpg` and `.DS_Store`.
    """
    return sorted(path for path in _walk(folder, ()) if path.name.lower().endswith(suffixes))


def stem_in(folder: Path, path: Path) -> str:
    """Return the path of a file in a folder, without suffix, by which its annotation or mask is found."""
    return path.relative_to(folder).with_suffix("").as_posix()


def unread_in(folder: Path) -> str:
    """Say how many files in a folder and within it have endings that are not read; "" for none.

    What lies beside pictures, such as tables, texts and settings, is not meant.
    """
    found = [path for path in _walk(folder, ()) if path.suffix.lower() not in (*SUFFIXES, *_BESIDE, "")]
    endings = ", ".join(sorted({path.suffix.lower() for path in found})[:3])
    files = "1 file ends" if len(found) == 1 else f"{len(found):,} files end"
    return f"{files} in {endings}, which is not read (convert to .png or .jpg)" if found else ""


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
