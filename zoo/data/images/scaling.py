"""Bring a decoded picture to the size that a model takes, to the pixel as timm, torchvision and transformers do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.errors import DataError
from zoo.weights.inputs import Preprocessing

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 100_000_000


@dataclass(frozen=True)
class Scaling:
    """How a picture comes to its size by a filter of Pillow; `Preprocessing` says what the modes do.

    `fill` are the bytes that `border` puts around the picture, one for each channel, or one for all.
    """

    crop: float = 1.0
    crop_mode: str = "squash"
    crop_offset: str = "rounded"
    interpolation: str = "bilinear"
    fill: tuple[int, ...] = (0,)


STRETCHED = Scaling()


def scaling_of(inputs: Preprocessing) -> Scaling:
    """Return how pictures come to the size that inputs have."""
    fill = tuple(round(255 * value) for value in inputs.mean) if inputs.crop_mode == "border" else (0,)
    return Scaling(inputs.crop, inputs.crop_mode, inputs.crop_offset, inputs.interpolation, fill)


def scaled(picture: "Image", image_size: tuple[int, int], scaling: Scaling, name: str) -> "Image":
    """Return a picture in a size, height and width. Raise DataError for one too elongated to be scaled whole."""
    from PIL import Image

    height, width = _scaled_size((picture.height, picture.width), image_size, scaling)
    if height * width > MAX_PIXELS:
        raise DataError(
            f"{name} is too elongated: its {picture.width}x{picture.height} scaled to {width}x{height} are more than "
            f"{MAX_PIXELS:,} pixels; cut a part out"
        )
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling[scaling.interpolation.upper()])
    if (height, width) == tuple(image_size):
        return picture
    return _middle(picture, image_size, scaling)


def seen_part(size: tuple[int, int], inputs: Preprocessing) -> tuple[float, float, float, float]:
    """Return where in a picture of this height and width lies what a model sees: top, left, bottom, right.

    They are in the picture's pixels, and lie outside of it where edges are added.
    """
    scaling = scaling_of(inputs)
    scaled_sides = _scaled_size(size, inputs.image_size, scaling)
    starts, ends = [], []
    for side, whole, seen in zip(size, scaled_sides, inputs.image_size, strict=True):
        start = _start(whole, seen, scaling)
        starts.append(start * side / whole)
        ends.append((start + seen) * side / whole)
    return starts[0], starts[1], ends[0], ends[1]


def _start(whole: int, seen: int, scaling: Scaling) -> int:
    """Return where a side's middle begins, below 0 where an edge is added, as `_middle` has it."""
    short = max(0, seen - whole)
    excess = whole + short - seen
    return (excess // 2 if scaling.crop_offset == "floored" else round(excess / 2)) - short // 2


def _scaled_size(size: tuple[int, int], image_size: Sequence[int], scaling: Scaling) -> tuple[int, int]:
    """Return the size of a picture before its middle is taken."""
    height, width = (math.floor(side / scaling.crop) for side in image_size)
    if scaling.crop_mode == "squash":
        return height, width
    if scaling.crop_mode == "center" and height == width:  # of one side timm asks torchvision, which floors the other
        short, long = min(size), max(size)
        other = int(height * long / short)
        return (other, height) if size[0] > size[1] else (height, other)
    ratios = (size[0] / height, size[1] / width)
    ratio = max(ratios) if scaling.crop_mode == "border" else min(ratios)
    return max(1, round(size[0] / ratio)), max(1, round(size[1] / ratio))


def _middle(picture: "Image", image_size: Sequence[int], scaling: Scaling) -> "Image":
    """Return the middle of a picture, with an edge around it where the picture is smaller."""
    from PIL import Image

    height, width = image_size
    short = (max(0, width - picture.width), max(0, height - picture.height))
    if any(short):
        bands = len(picture.getbands())
        color = scaling.fill if len(scaling.fill) == bands else scaling.fill[:1] * bands
        padded = Image.new(picture.mode, (picture.width + short[0], picture.height + short[1]), color)
        padded.paste(picture, (short[0] // 2, short[1] // 2))
        picture = padded
    left, top = _start(picture.width, width, scaling), _start(picture.height, height, scaling)
    return picture.crop((left, top, left + width, top + height))
