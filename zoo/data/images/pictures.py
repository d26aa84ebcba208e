"""Decode pictures with Pillow, safely and in parallel, into uint8 arrays; write them as PNG."""

import io
import logging
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.data.arrays import Images
from zoo.data.images.depth import in_bytes, is_grey
from zoo.data.images.orientation import Frame, frame_of, turned
from zoo.data.images.scaling import MAX_PIXELS, STRETCHED, Scaling, scaled
from zoo.errors import DataError
from zoo.extras import require
from zoo.files import is_special

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
_AT_ONCE = 16
_LOOKED_AT = 200
_log = logging.getLogger("zoo")


@dataclass(frozen=True)
class Encoded:
    """A picture's file in memory; `name` says where it came from, `file` what it was called before, "" if unknown."""

    name: str
    content: bytes
    file: str = ""

    def __str__(self) -> str:
        return self.name


Source: TypeAlias = "Path | Encoded | Image"


def open_picture(source: Source) -> "Image":
    """Open a picture as it is seen: decoded as RGB, turned as its EXIF says. Raise DataError for anything else."""
    with strict_pillow(), open_strictly(source) as picture, decoding(source):
        return _seen(picture, "RGB", source)


def read_frame(source: Source) -> Frame:
    """Return the frame of a picture from its header. Raise DataError for anything that is none, or is too large."""
    with strict_pillow(), open_strictly(source) as picture, decoding(source):
        return frame_of(picture)


def decode_all(
    sources: Sequence[Source],
    image_size: tuple[int, int],
    channels: int,
    *,
    scaling: Scaling = STRETCHED,
    skip_bad: int = 0,
    out: Images | None = None,
    sizes: NDArray[np.int64] | None = None,
    threads: int | None = None,
) -> tuple[Images, dict[int, DataError]]:
    """Return the decoded pictures, and what is wrong with those that are left out, up to `skip_bad`, by place.

    1 channel is grey, 3 are RGB. The pictures fill `out` from its start, which may be a memory map: no more than a few
    are in memory besides it. `sizes`, a row for each source, takes the heights and widths that the pictures had.
    """
    if channels not in (1, 3):
        raise DataError(
            f"pictures are read as grey or RGB, 1 or 3 channels, and not as {channels}; choose one of these"
        )
    images = np.empty((len(sources), channels, *image_size), np.uint8) if out is None else out
    bad: dict[int, DataError] = {}

    def some(start: int) -> list[tuple[int, DataError]]:
        errors = []
        for place in range(start, min(start + _AT_ONCE, len(sources))):
            try:
                images[place], size = _decode(sources[place], image_size, channels, scaling)
                if sizes is not None:
                    sizes[place] = size
            except DataError as error:
                errors.append((place, error))
        return errors

    # Threads: Pillow decodes and scales without the interpreter's lock, as fast as processes would and into one array
    with strict_pillow(), ThreadPoolExecutor(threads or processors()) as pool:
        for errors in pool.map(some, range(0, len(sources), _AT_ONCE)):
            for place, error in errors:
                if len(bad) == skip_bad:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise error
                _log.warning("left out: %s", str(error).partition(";")[0])
                bad[place] = error
    kept = [place for place in range(len(sources)) if place not in bad]
    for start in range(min(bad, default=len(kept)), len(kept), _AT_ONCE):
        moved = kept[start : start + _AT_ONCE]
        images[start : start + len(moved)] = images[moved]
    return images[: len(kept)], bad


def common_form(sources: Sequence[Source]) -> tuple[tuple[int, int], int]:
    """Return the most common size of some of the pictures, and 1 channel if they are grey, or else 3."""
    sizes: Counter[tuple[int, int]] = Counter()
    grey = True
    for place in range(0, len(sources), max(1, len(sources) // _LOOKED_AT)):
        try:
            with strict_pillow(), open_strictly(sources[place]) as picture, decoding(sources[place]):
                sizes[frame_of(picture).size] += 1
                grey = grey and is_grey(picture.mode)
        except DataError:
            continue  # decoding reports it, or leaves it out if it may
    if not sizes:
        raise DataError(f"{sources[0]} is not a readable image, nor is any other; check the folder")
    return sizes.most_common(1)[0][0], 1 if grey else 3


def read_pictures(
    paths: Sequence[Path], *, image_size: tuple[int, int], channels: int, scaling: Scaling = STRETCHED
) -> Tensor:
    """Return pictures as floats in [0, 1], shape (batch, channels, height, width)."""
    return torch.from_numpy(decode_all(paths, image_size, channels, scaling=scaling)[0]).float().div_(255)


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return a name for what is written of each picture; those of equal names are numbered."""
    counts = Counter(path.stem for path in paths)
    return [path.stem if counts[path.stem] == 1 else f"{path.stem}-{place}" for place, path in enumerate(paths)]


def write_picture(image: Tensor, path: Path) -> Path:
    """Write floats in [0, 1] of shape (channels, height, width) as PNG."""
    from PIL import Image

    array = image.clamp(0, 1).mul(255).round().byte().cpu().numpy()
    picture = Image.fromarray(array[0] if len(array) == 1 else np.ascontiguousarray(array.transpose(1, 2, 0)))
    picture.save(path)
    return path


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def strict_pillow() -> Iterator[None]:
    """Make Pillow's warnings of large pictures errors. Not for each picture: filters are shared by all threads."""
    require("reading images", "PIL")
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.filterwarnings("ignore", "Corrupt EXIF data", UserWarning)  # viewers pass over it, too
        yield


def open_strictly(source: Source) -> "Image":
    """Open a picture as `open_picture` does, within `strict_pillow`, which many threads share."""
    from PIL import Image, UnidentifiedImageError

    if isinstance(source, Image.Image):
        return source.copy()  # whoever asked closes what is returned, and this one is somebody else's
    if isinstance(source, Path) and is_special(source):
        raise DataError(f"{source} is a pipe or a device and no file; give a picture's file")
    try:
        picture = Image.open(io.BytesIO(source.content) if isinstance(source, Encoded) else source)
    except FileNotFoundError:
        raise DataError(f"no picture {source}; check the path") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{source} is too large: {error}; scale it down") from None
    except UnidentifiedImageError:
        holds = len(source.content) if isinstance(source, Encoded) else source.stat().st_size
        what = "not a readable image" if holds else "an empty file"
        raise DataError(f"{source} is {what}; remove it, or allow some: --skip-bad N") from None
    except (OSError, SyntaxError, ValueError):
        raise DataError(f"{source} is not a readable image; remove it, or allow some: --skip-bad N") from None
    if picture.format == "TIFF":
        picture.filename = ""  # by its name Pillow maps the file, as if its rows were those of the turned picture
    if picture.width * picture.height > MAX_PIXELS:
        size = f"{picture.width}x{picture.height}"
        picture.close()
        raise DataError(f"{source} is too large: {size}, more than {MAX_PIXELS:,} pixels; scale it down")
    return picture


@contextmanager
def decoding(source: Source) -> Iterator[None]:
    """Turn what Pillow raises of a broken picture in the block into a DataError."""
    try:
        yield
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise DataError(f"{source} is a broken picture: {error}; remove it, or allow some: --skip-bad N") from None


def _decode(
    source: Source, image_size: tuple[int, int], channels: int, scaling: Scaling
) -> tuple[Images, tuple[int, int]]:
    """Return a picture as (channels, height, width), scaled to the size, and the height and width that it had."""
    with open_strictly(source) as picture, decoding(source):
        frame = frame_of(picture)
        seen = _seen(picture, "L" if channels == 1 else "RGB", source)
    array = np.asarray(scaled(seen, image_size, scaling, str(source)), np.uint8)
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1)), frame.size


def _seen(picture: "Image", mode: str, source: Source) -> "Image":
    picture.load()  # what is closed before it is read cannot be read any more
    return in_bytes(turned(picture), mode, str(source))
