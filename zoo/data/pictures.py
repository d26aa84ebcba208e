"""Decode pictures with Pillow, safely, into uint8 arrays; write them as PNG."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from zoo.data.dataset import Images
from zoo.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 100_000_000
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
_log = logging.getLogger("zoo")


def open_picture(path: Path) -> "Image":
    """Open a picture, its header read. Raise DataError with its path for anything that is none, or is too large."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise DataError("pictures need the train extra: pip install 'zoo-hub[train]'") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(path)
    except FileNotFoundError:
        raise DataError(f"no picture {path}; check the path") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{path} is too large: {error}; scale it down") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise DataError(f"{path} is no picture that can be read; remove it, or allow some with skip_bad") from None
    if picture.width * picture.height > MAX_PIXELS:
        size = f"{picture.width}x{picture.height}"
        picture.close()
        raise DataError(f"{path} is too large: {size}, more than {MAX_PIXELS:,} pixels; scale it down")
    return picture


def decode(path: Path, image_size: tuple[int, int], channels: int) -> Images:
    """Return a picture as (channels, height, width), scaled to the size; 1 channel is grey, 3 are RGB."""
    from PIL import Image

    with open_picture(path) as picture:
        try:
            converted = picture.convert("L" if channels == 1 else "RGB")
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise DataError(f"{path} is a broken picture: {error}; remove it, or allow some with skip_bad") from None
    height, width = image_size
    if converted.size != (width, height):
        converted = converted.resize((width, height), Image.Resampling.BILINEAR)
    array = np.asarray(converted, np.uint8)
    return array[None] if channels == 1 else np.ascontiguousarray(array.transpose(2, 0, 1))


def decode_all(
    paths: Sequence[Path], image_size: tuple[int, int], channels: int, *, skip_bad: int = 0, out: Any = None
) -> tuple[Images, list[int]]:
    """Return the decoded pictures and which of the paths they are; up to `skip_bad` bad ones are left out, and said."""
    images = np.empty((len(paths), channels, *image_size), np.uint8) if out is None else out
    kept: list[int] = []
    for place, path in enumerate(paths):
        try:
            images[len(kept)] = decode(path, image_size, channels)
        except DataError as error:
            if place - len(kept) >= skip_bad:
                raise
            _log.warning("left out: %s", error)
        else:
            kept.append(place)
    return images[: len(kept)], kept


def read_pictures(paths: Sequence[Path], *, image_size: tuple[int, int], channels: int) -> Tensor:
    """Return pictures as floats in [0, 1], shape (batch, channels, height, width)."""
    return torch.from_numpy(decode_all(paths, image_size, channels)[0]).float().div_(255)


def write_picture(image: Tensor, path: Path) -> Path:
    """Write floats in [0, 1] of shape (channels, height, width) as PNG."""
    from PIL import Image

    array = image.clamp(0, 1).mul(255).round().byte().cpu().numpy()
    picture = Image.fromarray(array[0] if len(array) == 1 else np.ascontiguousarray(array.transpose(1, 2, 0)))
    picture.save(path)
    return path
