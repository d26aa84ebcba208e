"""Decode masks with Pillow: one byte a pixel, whose value is the class."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from zoo.data.arrays import Images
from zoo.data.images.pictures import open_strictly, processors, strict_pillow
from zoo.data.masks.layouts import Pair
from zoo.errors import DataError

_AT_ONCE = 16
_LOSSY = (".jpg", ".jpeg", ".webp")
_OR_SKIP = "or allow some with skip_bad"


def decode_masks(pairs: Sequence[Pair], out: Images) -> tuple[NDArray[np.bool_], dict[int, DataError]]:
    """Fill `out`, (samples, height, width), by nearest neighbours, with the values as they stand in the files.

    Return which of the 256 values each mask has, (samples, 256), and what is wrong with those that are bad, by place.
    """
    present = np.zeros((len(pairs), 256), np.bool_)
    height, width = out.shape[1:]

    def some(start: int) -> list[tuple[int, DataError]]:
        errors = []
        for place in range(start, min(start + _AT_ONCE, len(pairs))):
            try:
                mask = read_mask(pairs[place])
            except DataError as error:
                errors.append((place, error))
                continue
            present[place] = np.bincount(mask.ravel(), minlength=256) > 0
            out[place] = scaled_mask(mask, (height, width))
        return errors

    with strict_pillow(), ThreadPoolExecutor(processors()) as pool:
        found = [item for errors in pool.map(some, range(0, len(pairs), _AT_ONCE)) for item in errors]
    return present, dict(found)


def common_size(pairs: Sequence[Pair]) -> tuple[int, int] | None:
    """Return height and width of the masks' files where all that can be read have the same."""
    sizes = set()
    with strict_pillow():
        for pair in pairs:
            try:
                with open_strictly(pair.mask) as mask:
                    sizes.add((mask.height, mask.width))
            except DataError:
                continue  # decoding reports it, or leaves it out if it may
    return sizes.pop() if len(sizes) == 1 else None


def read_mask(pair: Pair) -> NDArray[np.uint8]:
    """Return a mask as it is in its file. Raise DataError where it is no mask for its picture."""
    path = pair.mask
    if not path.is_file():
        raise DataError(f"{pair.picture} has no mask {path}; add it, {_OR_SKIP}")
    if path.suffix.lower() in _LOSSY:
        raise DataError(f"{path} is lossily compressed, which changes classes; save masks as PNG")
    with open_strictly(path) as mask:
        try:
            mask.load()  # numpy would pass over what goes wrong
            values = np.asarray(mask)
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise DataError(f"{path} is a broken mask: {error}; save it again, {_OR_SKIP}") from None
        mode = mask.mode
    if values.ndim != 2:
        raise DataError(
            f"{path} is a colour image ({mode}); save masks as palette or greyscale PNG whose values are the classes"
        )
    if values.dtype not in (np.bool_, np.uint8) and not 0 <= values.min() <= values.max() <= 255:
        raise DataError(f"{path} has the value {values.max()}; a mask's values go from 0 to 255")
    _check_size(pair, values.shape)
    return values.astype(np.uint8, copy=False)


def scaled_mask(mask: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Take for each pixel of the new size the one that lies at its centre."""
    if mask.shape == size:
        return mask
    rows, columns = ((np.arange(new) * 2 + 1) * old // (2 * new) for new, old in zip(size, mask.shape, strict=True))
    scaled: NDArray[np.uint8] = mask[rows[:, None], columns]
    return scaled


def _check_size(pair: Pair, shape: tuple[int, ...]) -> None:
    try:
        with open_strictly(pair.picture) as picture:
            size = (picture.height, picture.width)
    except DataError:
        return  # decoding the pictures reports it, or leaves it out if it may
    if size != shape:
        own, theirs = (f"{width}x{height}" for height, width in (shape, size))
        raise DataError(
            f"{pair.mask} is {own} and its picture {pair.picture.name} {theirs}; make them equal, {_OR_SKIP}"
        )
