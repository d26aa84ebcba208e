"""What recipes share whose models tell classes apart: the scores and the pictures."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo

_SHOWN = 16


def class_labels(batch: zoo.Batch) -> Tensor | None:
    """Return the labels (batch,) where each picture has one class; None without labels, or where it may have many."""
    labels = batch.get("labels")
    return labels if labels is not None and labels.ndim == 1 else None


def class_scores(
    model: nn.Module, batches: Iterable[zoo.Batch], classes: tuple[str, ...], preprocessing: zoo.Preprocessing
) -> dict[str, float]:
    """Return accuracy in percent and the cross-entropy in nats."""
    counts, loss = _counted(model, batches, len(classes), preprocessing)
    total = float(counts.sum())
    return {"accuracy": 100 * float(counts.diag().sum()) / total, "loss": loss / total}


def class_pictures(
    model: nn.Module,
    batches: Iterable[zoo.Batch],
    classes: tuple[str, ...],
    preprocessing: zoo.Preprocessing,
    folder: Path,
    *,
    augmentation: zoo.Augmentation,
) -> list[Path]:
    """Draw the confusion matrix, and pictures beside what augmentation makes of them."""
    kept: list[zoo.Batch] = []
    counts, _ = _counted(model, _noted(batches, kept), len(classes), preprocessing)
    few, _ = zoo.spread_samples(kept, _SHOWN)
    images, index = few["images"], few["index"]
    views = [zoo.augment(images, zoo.Draws(0, epoch, index), augmentation) for epoch in range(3)]
    return [
        zoo.confusion_matrix(counts, classes, folder / "confusion.png"),
        zoo.image_grid([images, *views], folder / "augmented.png", captions=("input", "augmented", "", "")),
    ]


def _noted(batches: Iterable[zoo.Batch], kept: list[zoo.Batch]) -> Iterator[zoo.Batch]:
    """Pass batches on, and keep a few samples of a few of them: all would be more than memory has room for."""
    step = 1
    for place, batch in enumerate(batches):
        if place % step == 0:
            kept.append(zoo.spread_samples([batch], _SHOWN)[0])
        if len(kept) > _SHOWN:
            del kept[1::2]
            step *= 2
        yield batch


def _counted(
    model: nn.Module, batches: Iterable[zoo.Batch], classes: int, preprocessing: zoo.Preprocessing
) -> tuple[Tensor, float]:
    """Return how often each class (rows) was taken for each (columns), and the summed cross-entropy."""
    counts = torch.zeros(classes * classes, dtype=torch.int64)
    loss = torch.zeros((), dtype=torch.float64)
    with zoo.evaluating(model):
        for batch in batches:
            logits, labels = model(zoo.normalize(batch["images"], preprocessing)), batch["labels"]
            loss += F.cross_entropy(logits, labels, reduction="sum").double().cpu()
            counts += torch.bincount(labels * classes + logits.argmax(1), minlength=classes * classes).cpu()
    return counts.view(classes, classes), float(loss)
