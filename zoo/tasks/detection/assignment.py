"""Which place of the pyramid learns which box: task-aligned assignment (Feng et al., 2021), of whole batches."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.tasks.detection.boxes import overlaps

_MOST_PLACES = 13
_SCORE_POWER, _OVERLAP_POWER = 1.0, 6.0


class Assignment(NamedTuple):
    """What every place should say."""

    quality: Tensor
    """(batch, places, classes): how well the place's box fits, under its class; 0 for background."""
    boxes: Tensor
    """(batch, places, 4): the box to learn, anything for background."""
    counts: Tensor
    """(batch, places, 1): 1 where the class is to be learnt, 0 within boxes that are not scored."""


@torch.no_grad()
def assign(scores: Tensor, predicted: Tensor, points: Tensor, reductions: Tensor, boxes: Tensor) -> Assignment:
    """Give each box those places in it whose scores and boxes fit it best, and a place the box that it fits best.

    `scores` (batch, places, classes) in [0, 1] and `predicted` (batch, places, 4) are what the network says now;
    `points` (places, 2) and `reductions` (places,) where its places are; `boxes` (batch, most, 6) the truth, as
    `zoo.ImageSplit` has it.
    """
    corners, classes, unscored = boxes[..., :4], boxes[..., 4].long(), boxes[..., 5] > 0
    learnt = (classes >= 0) & ~unscored
    within = _within(corners, points)
    # A box too small to have a place in it has the one whose cell holds its centre
    candidates = (within | _nearest(corners, points, reductions)) & learnt[..., None]
    overlap = overlaps(corners, predicted) * candidates
    score = scores.transpose(1, 2).gather(1, classes.clamp(min=0)[..., None].expand(-1, -1, len(points)))
    aligned = score.pow(_SCORE_POWER) * overlap.pow(_OVERLAP_POWER)
    chosen = _best(aligned + candidates * 1e-30, min(_MOST_PLACES, len(points))) & candidates

    best, which = (overlap + chosen.float()).masked_fill(~chosen, -1).max(1)  # of each place: (batch, places)
    taken = best > 0
    own = F.one_hot(which, corners.shape[1]).transpose(1, 2).bool() & taken[:, None]
    aligned, overlap = aligned * own, overlap * own
    # The best place of a box is asked for its overlap, the others for less in proportion
    quality = aligned / aligned.amax(2, keepdim=True).clamp(min=1e-30) * overlap.amax(2, keepdim=True)
    of_class = F.one_hot(classes.gather(1, which).clamp(min=0), scores.shape[2])
    ignored = (within & ((classes >= 0) & unscored)[..., None]).any(1) & ~taken
    return Assignment(
        quality=quality.sum(1)[..., None] * of_class,
        boxes=corners.gather(1, which[..., None].expand(-1, -1, 4)),
        counts=(~ignored)[..., None].to(scores.dtype),
    )


def _within(corners: Tensor, points: Tensor) -> Tensor:
    """Tell which points lie in which boxes, (batch, most, places)."""
    x, y = points.unbind(1)
    left, top, right, bottom = (side[..., None] for side in corners.unbind(2))
    return (x > left) & (x < right) & (y > top) & (y < bottom)


def _nearest(corners: Tensor, points: Tensor, reductions: Tensor) -> Tensor:
    centres = (corners[..., :2] + corners[..., 2:]) / 2
    away = (centres[:, :, None] - points).abs().amax(3)
    return away <= reductions / 2


def _best(aligned: Tensor, maximum: int) -> Tensor:
    """Tell which places are among the best of their box, (batch, most, places)."""
    top = aligned.topk(maximum, dim=2).indices
    return torch.zeros_like(aligned, dtype=torch.bool).scatter_(2, top, True)
