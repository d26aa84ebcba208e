"""Pictures of any depth in eight bits a channel, as grey or as RGB."""

from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

_BITS_TAG = 258
_DEEP = ("I", "F")
"""The modes of Pillow with more than eight bits a pixel, and those that begin so."""
_BY_WAY_OF = {"La": "LA", "LAB": "RGB"}
"""Modes that Pillow does not convert to grey at once."""


def is_grey(mode: str) -> bool:
    """Tell whether pictures of this mode have no colours."""
    return mode in ("1", "L", "LA", "La") or mode.startswith(_DEEP)


def in_bytes(picture: "Image", mode: str, name: str) -> "Image":
    """Return a decoded picture in mode L or RGB. Raise DataError where its numbers are none that can be shown.

    Of 16 bits the upper eight stay, as Pillow takes them of colours. Other depths have no white of their own: whole
    numbers from 0 to 255 are taken as bytes, everything else is refused.
    """
    if picture.mode.startswith(_DEEP):
        picture = _from_deep(picture, name)
    if picture.mode in _BY_WAY_OF:
        picture = picture.convert(_BY_WAY_OF[picture.mode])
    return picture if picture.mode == mode else picture.convert(mode)


def _from_deep(picture: "Image", name: str) -> "Image":
    from PIL import Image

    values = np.asarray(picture)
    # Pillow reads what PNG and PGM hold in 16 bits as I, the latter scaled to all of them
    bits = 16 if picture.mode.startswith("I;16") or picture.format in ("PNG", "PPM") else 32
    if bits == 16:
        if _bits_in_file(picture) == 12:
            bits = 12
        return Image.fromarray((values.astype(np.uint16) >> (bits - 8)).astype(np.uint8))
    low, high = (float(limit) for limit in (values.min(), values.max()))
    if not (low >= 0 and high <= 255 and (values == np.floor(values)).all()):
        kind = "floats" if picture.mode == "F" else "32-bit integers"
        raise DataError(
            f"{name} has {kind} from {low:g} to {high:g}, of which nobody says what is white; save it with 8 or 16 bits"
        )
    return Image.fromarray(values.astype(np.uint8))


def _bits_in_file(picture: "Image") -> int | None:
    """Return the bits of a pixel of a grey TIFF."""
    found = getattr(picture, "tag_v2", {}).get(_BITS_TAG)
    return found[0] if isinstance(found, tuple) and len(found) == 1 else None
