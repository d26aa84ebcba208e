"""Augment whole batches on their device, each sample with its own draw."""

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.draws import Draws
from zoo.errors import UsageError

Policy = Literal["none", "flip", "crop_flip"]


def augment(images: Tensor, draws: Draws, policy: Policy) -> Tensor:
    """Flip half of the pictures, and shift each by up to an eighth of its size (`crop_flip`), as the policy says."""
    if policy not in get_args(Policy):
        raise UsageError(f"no augmentation {policy!r}; choose one of {', '.join(get_args(Policy))}")
    if policy == "none":
        return images
    if policy == "crop_flip":
        images = _shift(images, draws)
    flipped = draws.uniform("flip", 1, 1, 1) < 0.5
    return torch.where(flipped, images.flip(3), images)


def add_noise(images: Tensor, deviation: float, draws: Draws) -> Tensor:
    """Add Gaussian noise and clamp to [0, 1]."""
    return images.add(draws.normal("noise", *images.shape[1:]), alpha=deviation).clamp_(0, 1)


def _shift(images: Tensor, draws: Draws) -> Tensor:
    """Pad with zeros and cut a window of the old size out of it: a random crop, by one gather for all pictures."""
    batch, channels, height, width = images.shape
    rows, columns = max(1, height // 8), max(1, width // 8)
    padded = F.pad(images, (columns, columns, rows, rows))
    device = images.device
    top = draws.integers("top", 0, 2 * rows + 1, 1) + torch.arange(height, device=device)
    left = draws.integers("left", 0, 2 * columns + 1, 1) + torch.arange(width, device=device)
    which = torch.arange(batch, device=device)[:, None, None]
    gathered = padded.movedim(1, 3)[which, top[:, :, None], left[:, None, :]]
    return gathered.movedim(3, 1).contiguous()
