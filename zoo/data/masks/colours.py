"""Colours of classes, and masks as pictures."""

import colorsys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoo.data.augmentation.masks import IGNORED
from zoo.data.images.lettering import Colour

if TYPE_CHECKING:
    from PIL.Image import Image

Mask = NDArray[np.uint8]

_GOLDEN = 0.618034
_BACKGROUND = ("background", "_background_")
_DISTINCT = bytes.fromhex(  # Trubetskoy's twenty colours that are easily told apart
    "e6194b3cb44bffe1194363d8f58231911eb446f0f0f032e6bcf60cfabebe"
    "008080e6beff9a6324fffac8800000aaffc3808000ffd8b1000075808080"
)


def class_colours(classes: Sequence[str]) -> NDArray[np.uint8]:
    """Return a colour for each value of a mask, uint8 (256, 3): far from each other, and black where nothing counts.

    A class that is called background is dark grey.
    """
    colours = np.zeros((256, 3), np.uint8)
    for place, name in enumerate(classes):
        if place < len(_DISTINCT) // 3:
            colours[place] = list(_DISTINCT[3 * place : 3 * place + 3])
        else:  # each hue a golden angle on from the last, in three shades by turns
            value, saturation = ((0.95, 0.65), (0.75, 0.9), (0.6, 0.5))[place % 3]
            red, green, blue = colorsys.hsv_to_rgb(place * _GOLDEN % 1, saturation, value)
            colours[place] = [round(255 * channel) for channel in (red, green, blue)]
        if name.lower() in _BACKGROUND:
            colours[place] = 40
    return colours


def mask_picture(mask: Mask, classes: Sequence[str]) -> "Image":
    """Return a mask as a palette picture: its pixels are the classes, any viewer shows their colours."""
    from PIL import Image

    picture = Image.fromarray(mask, "L")
    picture.putpalette(class_colours(classes).tobytes())
    return picture


def overlay(picture: "Image", mask: Mask, classes: Sequence[str], *, opacity: float = 0.55) -> "Image":
    """Return the picture with the mask's colours laid over it; what does not count stays as it is."""
    from PIL import Image

    pixels = np.asarray(picture.convert("RGB"), np.float32)
    share = np.where(mask == IGNORED, 0.0, opacity).astype(np.float32)[..., None]
    return Image.fromarray((pixels * (1 - share) + class_colours(classes)[mask] * share).round().astype(np.uint8))


def class_legend(classes: Sequence[str], present: Iterable[int]) -> list[tuple[str, Colour]]:
    """Return the names of the present classes with their colors, as `with_legend` takes them."""
    colours = class_colours(classes)
    return [(classes[place], (*colours[place].tolist(),)) for place in present]
