"""Move pictures and their masks together. What comes into view from outside is black, and left out of the mask."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.data.draws import Draws

IGNORED = 255
"""The value of a mask's pixels that do not count."""


def random_scale_crop(
    images: Tensor, masks: Tensor, draws: Draws, *, scale: tuple[float, float] = (0.5, 2.0)
) -> tuple[Tensor, Tensor]:
    """Scale each picture by a factor of its own, and cut a window of the old size out of it at random.

    `masks` are uint8 (batch, height, width), the nearest pixel of which is taken. Below 1 the window is the larger one,
    and the picture lies somewhere in it.
    """
    height, width = images.shape[2:]
    low, high = map(math.log, scale)
    share = (draws.uniform("scale") * (high - low) + low).neg().exp()[:, None]  # of the picture, that the window sees
    centre = (draws.uniform("window", 2) * 2 - 1) * (1 - share).abs()
    # Places run from -1 to 1 over the picture; written out, because a matrix product rounds by the size of the batch
    x = ((torch.arange(width, device=images.device) * 2 + 1) / width - 1) * share + centre[:, :1]
    y = ((torch.arange(height, device=images.device) * 2 + 1) / height - 1) * share + centre[:, 1:]
    grid = torch.stack([x[:, None].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], 3).to(images.dtype)
    moved = F.grid_sample(images, grid, align_corners=False).clamp(0, 1)
    # Outside of what is sampled there are zeros, which are to become the value that does not count
    shifted = F.grid_sample((masks.to(images.dtype) - IGNORED)[:, None], grid, mode="nearest", align_corners=False)
    return moved, shifted[:, 0].add(IGNORED).round().to(torch.uint8)


def random_flip_together(images: Tensor, masks: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
    """Mirror half of the pictures left to right, and their masks."""
    flipped = draws.uniform("flip", 1, 1) < 0.5
    images = images.lerp(images.flip(3), flipped[..., None].to(images.dtype))
    return images, torch.where(flipped, masks.flip(2), masks)
