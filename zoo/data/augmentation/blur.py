"""Blur pictures."""

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.data.draws import Draws


def random_blur(
    images: Tensor, draws: Draws, *, probability: float = 0.5, deviation: tuple[float, float] = (0.1, 2.0)
) -> Tensor:
    """Smooth a share of the pictures with a Gaussian of its own deviation in pixels each (Chen et al., 2020).

    The kernel spans a tenth of the picture, and at least three pixels.
    """
    radius = max(1, round(0.05 * max(images.shape[2:])))
    low, high = deviation
    sigma = draws.uniform("blur") * (high - low) + low
    places = torch.arange(-radius, radius + 1, device=images.device)
    weights = (-0.5 * (places / sigma[:, None]) ** 2).exp()
    weights = torch.where((draws.uniform("blurred") < probability)[:, None], weights, (places == 0).float())
    weights = (weights / weights.sum(1, keepdim=True)).to(images.dtype)
    for axis, pads in ((2, (0, 0, radius, radius)), (3, (radius, radius, 0, 0))):
        images = _smoothed(F.pad(images, pads, mode="replicate"), weights, axis)
    return images.clamp(0, 1)


def _smoothed(padded: Tensor, weights: Tensor, axis: int) -> Tensor:
    # Written out, because a grouped convolution's rounding depends on the size of the batch
    length = padded.shape[axis] - weights.shape[1] + 1
    total = padded.narrow(axis, 0, length) * weights[:, 0, None, None, None]
    for place in range(1, weights.shape[1]):
        total.addcmul_(padded.narrow(axis, place, length), weights[:, place, None, None, None])
    return total
