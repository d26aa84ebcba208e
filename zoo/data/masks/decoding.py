"""Decode masks with Pillow: one byte a pixel, whose value is the class."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.arrays import Images
from zoo.data.images.orientation import Frame, frame_of, orientation, turned, turned_mask
from zoo.data.images.pictures import decoding, open_strictly, processors, strict_pillow
from zoo.data.masks.layouts import Pair
from zoo.errors import DataError

_AT_ONCE = 16
_LOSSY = (".jpg", ".jpeg", ".webp")
_OR_SKIP = "or allow some: --skip-bad N"


@dataclass(frozen=True)
class DecodedMasks:
    """What was found while masks were decoded.

    `present` says which of the 256 values each has, (samples, 256), `bad` by place what is wrong with one. `assumed`
    are the places of those that would fit their picture before it is turned as well. `sizes` are (samples, 2).
    """

    present: NDArray[np.bool_]
    bad: dict[int, DataError]
    assumed: list[int]
    sizes: NDArray[np.int64]


def decode_masks(pairs: Sequence[Pair], out: Images) -> DecodedMasks:
    """Fill `out`, (samples, height, width), by nearest neighbours, with the values as they stand in the files."""
    present = np.zeros((len(pairs), 256), np.bool_)
    assumed = np.zeros(len(pairs), np.bool_)
    sizes = np.ones((len(pairs), 2), np.int64)
    height, width = out.shape[1:]

    def some(start: int) -> list[tuple[int, DataError]]:
        errors = []
        for place in range(start, min(start + _AT_ONCE, len(pairs))):
            try:
                mask, assumed[place] = read_mask(pairs[place])
            except DataError as error:
                errors.append((place, error))
                continue
            sizes[place] = mask.shape
            present[place] = np.bincount(mask.ravel(), minlength=256) > 0
            out[place] = scaled_mask(mask, (height, width))
        return errors

    with strict_pillow(), ThreadPoolExecutor(processors()) as pool:
        found = [item for errors in pool.map(some, range(0, len(pairs), _AT_ONCE)) for item in errors]
    return DecodedMasks(present, dict(found), np.flatnonzero(assumed).tolist(), sizes)


def common_size(pairs: Sequence[Pair]) -> tuple[int, int] | None:
    """Return height and width of the masks where all that can be read have the same, turned as their pictures are."""

    def size(pair: Pair) -> tuple[int, int] | None:
        try:
            own = _frame(pair.mask)
            picture = _frame(pair.picture)
        except DataError:
            return None  # decoding reports it, or leaves it out if it may
        return picture.size if own.size == picture.stored else own.size

    with strict_pillow(), ThreadPoolExecutor(processors()) as pool:
        sizes = {found for found in pool.map(size, pairs) if found is not None}
    return sizes.pop() if len(sizes) == 1 else None


def read_mask(pair: Pair) -> tuple[NDArray[np.uint8], bool]:
    """Return a mask as its picture is seen, and whether it would fit the picture before it is turned as well.

    Raise DataError where it is no mask for its picture.
    """
    path = pair.mask
    if not path.is_file():
        raise DataError(f"{pair.picture} has no mask {path}; add it, {_OR_SKIP}")
    if path.suffix.lower() in _LOSSY:
        raise DataError(f"{path} is lossily compressed, which changes classes; save masks as PNG")
    with open_strictly(path) as mask:
        try:
            own = orientation(mask)
            mask.load()  # numpy would pass over what goes wrong
            values = np.asarray(turned(mask))
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise DataError(f"{path} is a broken mask: {error}; save it again, {_OR_SKIP}") from None
        mode = mask.mode
    if values.ndim != 2:
        raise DataError(
            f"{path} is a colour image ({mode}); save masks as palette or greyscale PNG whose values are the classes"
        )
    if values.dtype not in (np.bool_, np.uint8) and not 0 <= values.min() <= values.max() <= 255:
        raise DataError(f"{path} has the value {values.max()}; a mask's values are classes, from 0 to 255")
    return _fitted(pair, values.astype(np.uint8, copy=False), own)


def scaled_mask(mask: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Take for each pixel of the new size the one that lies at its centre."""
    if mask.shape == size:
        return mask
    rows, columns = ((np.arange(new) * 2 + 1) * old // (2 * new) for new, old in zip(size, mask.shape, strict=True))
    scaled: NDArray[np.uint8] = mask[rows[:, None], columns]
    return scaled


def _fitted(pair: Pair, values: NDArray[np.uint8], own: int) -> tuple[NDArray[np.uint8], bool]:
    """Turn a mask with its picture where it has the size of that as stored; one that turns on its `own` is as seen."""
    try:
        picture = _frame(pair.picture)
    except DataError:
        return values, False  # decoding the pictures reports it, or leaves it out if it may
    if values.shape not in (picture.size, picture.stored):
        mine, theirs = (f"{width}x{height}" for height, width in (values.shape, picture.size))
        raise DataError(
            f"{pair.mask} is {mine} and its picture {pair.picture.name} {theirs}; make them equal, {_OR_SKIP}"
        )
    height, width = values.shape
    as_stored = picture.as_stored((height, width))
    if as_stored:
        return turned_mask(values, picture.orientation), False
    return values, as_stored is None and picture.orientation > 1 and own == 1


def _frame(path: Path) -> Frame:
    with open_strictly(path) as picture, decoding(path):
        return frame_of(picture)
