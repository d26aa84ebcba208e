"""From what a detector says of all its places to the few boxes that it finds."""

from typing import NamedTuple

import torch
from torch import Tensor

from zoo.tasks.detection.boxes import suppress

_CANDIDATES = 300


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
    *,
    score_threshold: float,
    nms_threshold: float,
    most_boxes: int,
) -> Detections:
    """Return the boxes above the score that overlap no better one of their class by more than `nms_threshold`."""
    num_classes = logits.shape[2]
    flat = logits.sigmoid().flatten(1)
    scores, places = flat.topk(min(max(_CANDIDATES, most_boxes), flat.shape[1]), dim=1)
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
