"""Arithmetic on boxes: left, top, right, bottom in pixels, in the last dimension."""

import torch
from torch import Tensor


def area(boxes: Tensor) -> Tensor:
    """Return areas, 0 for a box whose sides have crossed."""
    size = (boxes[..., 2:4] - boxes[..., :2]).clamp(min=0)
    return size[..., 0] * size[..., 1]


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU of every box (..., m, 4) with every other (..., n, 4), of shape (..., m, n)."""
    first, second = first[..., :, None, :], second[..., None, :, :]
    shared = _shared(first, second)
    return shared / (area(first) + area(second) - shared).clamp(min=1e-9)


def generalised_overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Return the GIoU (Rezatofighi et al., 2019) of boxes one by one: from -1 far apart to 1 for the same."""
    shared = _shared(first, second)
    union = (area(first) + area(second) - shared).clamp(min=1e-9)
    low, high = torch.minimum(first[..., :2], second[..., :2]), torch.maximum(first[..., 2:4], second[..., 2:4])
    around = area(torch.cat([low, high], -1)).clamp(min=1e-9)
    return shared / union - (around - union) / around


def suppress(boxes: Tensor, classes: Tensor, valid: Tensor, *, threshold: float) -> Tensor:
    """Tell which boxes stay (batch, count): those that overlap no better one of their class that stays itself.

    `boxes` (batch, count, 4) come best first. What greedy suppression finds one box after the other is here the one
    fixed point of a step over all pairs at once, reached after as many steps as the longest chain of overlaps has.
    """
    count = boxes.shape[1]
    rivals = (overlaps(boxes, boxes) > threshold) & (classes[:, :, None] == classes[:, None, :])
    better = torch.ones(count, count, dtype=torch.bool, device=boxes.device).tril(-1)
    rivals &= better & valid[:, None, :]
    stays = valid
    for _ in range(count):
        new = valid & ~(rivals & stays[:, None, :]).any(2)
        if torch.equal(new, stays):
            break
        stays = new
    return stays


def _shared(first: Tensor, second: Tensor) -> Tensor:
    low, high = torch.maximum(first[..., :2], second[..., :2]), torch.minimum(first[..., 2:4], second[..., 2:4])
    size = (high - low).clamp(min=0)
    return size[..., 0] * size[..., 1]
