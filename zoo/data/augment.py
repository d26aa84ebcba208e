"""Augment whole batches on their device, each sample with its own draw."""

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.errors import UsageError

Policy = Literal["none", "flip", "crop_flip"]


def augment(images: Tensor, generator: torch.Generator, policy: Policy) -> Tensor:
    """Flip half of the pictures, and shift each by up to an eighth of its size (`crop_flip`), as the policy says."""
    if policy not in get_args(Policy):
        raise UsageError(f"no augmentation {policy!r}; choose one of {', '.join(get_args(Policy))}")
    if policy == "none":
        return images
    if policy == "crop_flip":
        images = _shift(images, generator)
    flipped = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(flipped.to(images.device)[:, None, None, None], images.flip(3), images)


def add_noise(images: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    """Add Gaussian noise and clamp to [0, 1]."""
    noise = torch.randn(images.shape, generator=generator).to(images.device)
    return images.add(noise, alpha=deviation).clamp_(0, 1)


def _shift(images: Tensor, generator: torch.Generator) -> Tensor:
    """Pad with zeros and cut a window of the old size out of it: a random crop, by one gather for all pictures."""
    batch, channels, height, width = images.shape
    rows, columns = max(1, height // 8), max(1, width // 8)
    padded = F.pad(images, (columns, columns, rows, rows))
    top = torch.randint(0, 2 * rows + 1, (batch, 1), generator=generator) + torch.arange(height)
    left = torch.randint(0, 2 * columns + 1, (batch, 1), generator=generator) + torch.arange(width)
    which = torch.arange(batch)[:, None, None]
    device = images.device
    gathered = padded.movedim(1, 3)[which.to(device), top[:, :, None].to(device), left[:, None, :].to(device)]
    return gathered.movedim(3, 1).contiguous()
