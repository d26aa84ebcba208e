"""From what a detector says of all its places to the few boxes that it finds."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.tasks.detection.boxes import suppress
from zoo.tasks.pyramid import map_size

_CANDIDATES = 1000
"""How many of each level are looked at, as in FCOS and torchvision."""


class Detections(NamedTuple):
    """Boxes of a batch, best first; where a picture has fewer than the others, rows of class -1 and score 0 fill up."""

    boxes: Tensor
    """(batch, most, 4)"""
    scores: Tensor
    """(batch, most)"""
    classes: Tensor
    """(batch, most)"""


@torch.no_grad()
def find(
    logits: Tensor,
    boxes: Tensor,
    image_size: tuple[int, int],
    reductions: Sequence[int],
    *,
    score_threshold: float,
    nms_threshold: float,
    most_boxes: int,
) -> Detections:
    """Return the boxes above the score that overlap no better one of their class by more than `nms_threshold`.

    The best of each level of the pyramid are candidates; `reductions` are its levels, in the order of the places.
    """
    num_classes = logits.shape[2]
    places = _candidates(logits, [math.prod(map_size(image_size, reduction)) for reduction in reductions])
    scores, order = logits.flatten(1).gather(1, places).sigmoid().sort(dim=1, descending=True, stable=True)
    most = max(1, int((scores >= score_threshold).sum(1).max()))  # only these are compared with each other
    scores, places = scores[:, :most], places.gather(1, order[:, :most])
    classes, places = places % num_classes, places.div(num_classes, rounding_mode="floor")
    height, width = image_size
    high = torch.tensor([width, height, width, height], device=boxes.device)
    boxes = boxes.gather(1, places[..., None].expand(-1, -1, 4)).clamp(min=0).minimum(high)
    # Picture by picture, for memory's sake: all pairs of candidates are compared
    pictures = zip(boxes[:, None], classes[:, None], (scores >= score_threshold)[:, None], strict=True)
    stays = torch.cat([suppress(*picture, threshold=nms_threshold) for picture in pictures])
    scores = scores * stays
    scores, order = scores.sort(dim=1, descending=True, stable=True)
    scores, order = scores[:, :most_boxes], order[:, :most_boxes]
    classes = classes.gather(1, order).masked_fill(scores == 0, -1)
    return Detections(boxes.gather(1, order[..., None].expand(-1, -1, 4)), scores, classes)


def _candidates(logits: Tensor, levels: Sequence[int]) -> Tensor:
    """Return which answers, of all places and classes in one row (batch, count), are the best of their level."""
    found, start = [], 0
    for level in (part.flatten(1) for part in torch.split(logits, list(levels), dim=1)):
        found.append(level.topk(min(_CANDIDATES, level.shape[1]), dim=1).indices + start)
        start += level.shape[1]
    return torch.cat(found, 1)
