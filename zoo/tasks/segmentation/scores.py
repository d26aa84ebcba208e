"""Scores of a segmentation, all from one confusion matrix."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.data.augmentation.masks import IGNORED

_LOGITS_AT_ONCE = 64 * 1024 * 1024


def likeliest(logits: Tensor, size: Sequence[int]) -> Tensor:
    """Return the likeliest class of each pixel, (batch, *size), of logits (batch, classes, height, width) scaled to it.

    Classes are scaled a few at a time, since a photograph's size times all of them may be more than there is memory.
    """
    height, width = size
    at_once = max(1, _LOGITS_AT_ONCE // (len(logits) * height * width))
    best = found = None
    for first, some in enumerate(torch.split(logits, at_once, 1)):
        values, places = F.interpolate(some, (height, width), mode="bilinear").max(1)
        places += first * at_once
        if best is None or found is None:
            best, found = values, places
        else:
            found = torch.where(values > best, places, found)
            best = torch.maximum(best, values)
    assert found is not None
    return found


def confusion(predicted: Tensor, masks: Tensor, classes: int) -> Tensor:
    """Count pixels as int64 (classes, classes), rows true and columns predicted, without those that do not count."""
    indices = masks.long() * classes + predicted
    indices = indices.masked_fill(masks == IGNORED, classes * classes)
    return torch.bincount(indices.flatten(), minlength=classes * classes + 1)[:-1].view(classes, classes)


def segmentation_scores(counts: Tensor, classes: Sequence[str]) -> dict[str, float]:
    """Return shares from 0 to 1, from counts (classes, classes), rows true and columns predicted.

    `miou` is the mean of intersection over union, which `iou/<class>` gives one by one, over the classes that occur or
    are predicted; `class_accuracy` is the mean recall of those that occur, `pixel_accuracy` the share of pixels that
    are right.
    """
    counts = counts.double().cpu()
    right, true, predicted = counts.diag(), counts.sum(1), counts.sum(0)
    occurs = true > 0
    union = true + predicted - right
    scored = union > 0
    ious, recalls = right / union.clamp(min=1), right / true.clamp(min=1)
    scores = {
        "miou": float(ious.sum() / scored.sum().clamp(min=1)),
        "pixel_accuracy": float(right.sum() / true.sum().clamp(min=1)),
        "class_accuracy": float(recalls.sum() / occurs.sum().clamp(min=1)),
    }
    return scores | {f"iou/{name}": float(ious[place]) for place, name in enumerate(classes) if scored[place]}
