"""Move pictures and their boxes alike, each sample by its own draws."""

import math
from typing import Literal

import torch
from torch import Tensor

from zoo.data.augmentation.colour import color_jitter
from zoo.data.augmentation.geometry import affine
from zoo.data.draws import Draws
from zoo.tasks.detection.boxes import area

_ENOUGH = 0.3
"""A box of which less than this share is left in the picture is neither learnt nor background."""


def augment_boxed(
    images: Tensor,
    boxes: Tensor,
    draws: Draws,
    *,
    flips: Literal["none", "horizontal", "both"],
    zoom: float,
    colour: float,
) -> tuple[Tensor, Tensor]:
    """Return the pictures (batch, channels, height, width) and boxes (batch, most, 6), flipped, zoomed and coloured."""
    if flips != "none":
        images, boxes = _flip(images, boxes, draws.uniform("left to right") < 0.5, dimension=3)
    if flips == "both":
        images, boxes = _flip(images, boxes, draws.uniform("upside down") < 0.5, dimension=2)
    if zoom > 1:
        images, boxes = _zoom(images, boxes, draws, zoom)
    if colour:
        images = color_jitter(images, draws, brightness=colour, contrast=colour, saturation=colour, hue=colour / 10)
    return images, boxes


def _flip(images: Tensor, boxes: Tensor, which: Tensor, *, dimension: int) -> tuple[Tensor, Tensor]:
    """Mirror some pictures along the columns (3) or the rows (2)."""
    size, low = images.shape[dimension], 3 - dimension
    mirrored = boxes.clone()
    mirrored[..., low], mirrored[..., low + 2] = size - boxes[..., low + 2], size - boxes[..., low]
    # lerp is exact at 0 and at 1, and more than twice as fast as where, whose condition is broadcast
    images = images.lerp(images.flip(dimension), which[:, None, None, None].to(images.dtype))
    return images, torch.where(which[:, None, None], mirrored, boxes)


def _zoom(images: Tensor, boxes: Tensor, draws: Draws, zoom: float) -> tuple[Tensor, Tensor]:
    """Scale by 1 / zoom to zoom, and shift as far as the larger of picture and frame still covers the other."""
    scale = ((draws.uniform("zoom") * 2 - 1) * math.log(zoom)).exp()
    shift = (draws.uniform("shift", 2) - 0.5) * (scale - 1).abs()[:, None]
    images = affine(images, scale=scale, shift=shift / scale[:, None])  # which shifts first, and scales then
    height, width = images.shape[2:]
    x, y = (  # numbers and no tensors of sizes, whose way to a GPU every step would wait for
        (boxes[..., first:4:2] - side / 2) * scale[:, None, None] + side / 2 + shift[:, first, None, None] * side
        for first, side in ((0, width), (1, height))
    )
    moved, kept = (
        torch.stack(sides, 3).flatten(2) for sides in ((x, y), (x.clamp(min=0, max=width), y.clamp(min=0, max=height)))
    )
    share = area(kept) / area(moved).clamp(min=1e-9)
    classes = boxes[..., 4:5].masked_fill(area(kept)[..., None] <= 0, -1)
    unscored = torch.maximum(boxes[..., 5:6], (share < _ENOUGH)[..., None].to(boxes.dtype))
    return images, torch.cat([kept, classes, unscored], 2)
