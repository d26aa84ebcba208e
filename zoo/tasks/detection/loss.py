"""What a detector minimises: quality focal loss for the classes (Li et al., 2020), GIoU loss for the boxes."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from zoo.tasks.detection.assignment import assign
from zoo.tasks.detection.boxes import generalised_overlaps
from zoo.tasks.detection.network import locations

_BOX_WEIGHT = 2.0


@dataclass(frozen=True)
class DetectionLoss:
    """Sums over a batch."""

    classes: Tensor
    boxes: Tensor
    weight: Tensor
    """The sum of what the places are asked for: how much there is to find."""

    @property
    def total(self) -> Tensor:
        """The sum to minimise."""
        return self.classes + _BOX_WEIGHT * self.boxes

    @property
    def count(self) -> Tensor:
        """By what the sums are to be divided: the weight, 1 where there is next to nothing to find."""
        return self.weight.clamp(min=1)


def detection_loss(
    logits: Tensor, predicted: Tensor, boxes: Tensor, image_size: tuple[int, int], reductions: tuple[int, ...]
) -> DetectionLoss:
    """Compare what a Detector says of a batch with its boxes (batch, most, 6)."""
    points, sizes = locations(image_size, reductions, logits.device)
    scores = logits.sigmoid()
    target = assign(scores.detach(), predicted.detach(), points, sizes, boxes)
    focus = (target.quality - scores).square() * target.counts
    classes = (focus * F.binary_cross_entropy_with_logits(logits, target.quality, reduction="none")).sum()
    weight = target.quality.sum(2)
    sides = ((1 - generalised_overlaps(predicted, target.boxes)) * weight).sum()
    return DetectionLoss(classes, sides, weight.sum())
