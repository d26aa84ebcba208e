"""What is said of classes one by one: how often each occurs, and how well it is found."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zoo.tasks.classification_predictor import classes_of
from zoo.tasks.multi_label import seen


def confusion_counts(logits: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return counts (classes, classes), rows true and columns predicted."""
    flat = torch.bincount(labels * classes + logits.argmax(1), minlength=classes * classes)
    return flat.view(classes, classes)


def scores_by_class(logits: Tensor, labels: Tensor, classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return for each class that occurs, or is said, `count`, and `recall`, `precision` and `f1` in percent.

    `labels` are the class of each sample, or 0 and 1 for every class.
    """
    if labels.ndim == 2:
        truth, said = labels.bool(), seen(logits)
    else:
        truth, said = (
            torch.nn.functional.one_hot(places, len(classes)).bool() for places in (labels, logits.argmax(1))
        )
    true, found, both = (part.sum(0).double() for part in (truth, said, truth & said))
    metrics = {"recall": both / true.clamp(min=1), "precision": both / found.clamp(min=1)}
    metrics["f1"] = 2 * both / (true + found).clamp(min=1)
    return {
        name: {"count": float(true[place]), **{key: 100 * float(values[place]) for key, values in metrics.items()}}
        for place, name in enumerate(classes)
        if true[place] or found[place]
    }


def predictions_of(logits: Tensor, labels: Tensor, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return for each sample its true `label`, a list where it may have several, and its `predictions`."""
    several = labels.ndim == 2
    said = classes_of(logits, classes, several=several)
    true: list[Any] = (
        [[classes[place] for place in row.nonzero()[:, 0].tolist()] for row in labels]
        if several
        else [classes[place] for place in labels.tolist()]
    )
    return [{"label": label, **found} for label, found in zip(true, said, strict=True)]
