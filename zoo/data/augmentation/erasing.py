"""Add noise to pictures, and cover parts of them."""

import math

import torch
from torch import Tensor

from zoo.data.draws import Draws


def add_noise(images: Tensor, deviation: float, draws: Draws) -> Tensor:
    """Add Gaussian noise and clamp to [0, 1]."""
    return images.add(draws.normal("noise", *images.shape[1:]), alpha=deviation).clamp_(0, 1)


def random_erasing(
    images: Tensor,
    draws: Draws,
    *,
    probability: float = 0.25,
    area: tuple[float, float] = (0.02, 0.33),
    aspect: tuple[float, float] = (0.3, 3.3),
) -> Tensor:
    """Cover a rectangle of a share of the pictures with one colour each (Zhong et al., 2017)."""
    share = draws.uniform("erased area") * (area[1] - area[0]) + area[0]
    low, high = map(math.log, aspect)
    stretch = (draws.uniform("erased aspect") * (high - low) + low).mul(0.5).exp()
    side = share.sqrt() * (draws.uniform("erased") < probability)
    centre = draws.uniform("erased centre", 2)
    covered = rectangles(images, side / stretch, side * stretch, centre)
    colour = draws.uniform("erased colour", images.shape[1], 1, 1).to(images.dtype)
    return torch.where(covered, colour, images)


def rectangles(images: Tensor, height: Tensor, width: Tensor, centre: Tensor) -> Tensor:
    """Return masks of shape (batch, 1, height, width) that are true in a rectangle of each picture.

    `height` and `width` are shares, and `centre` places, (batch, 2), from 0 to 1 of where it can lie to be inside.
    """
    sides = []
    for place, (share, pixels) in enumerate(zip((height, width), images.shape[2:], strict=True)):
        length = (share * pixels).round().clamp(max=pixels)[:, None]
        start = (centre[:, place, None] * (pixels - length + 1)).floor().clamp(max=pixels - length)
        at = torch.arange(pixels, device=images.device)
        sides.append((at >= start) & (at < start + length))
    return (sides[0][:, :, None] & sides[1][:, None, :])[:, None]
