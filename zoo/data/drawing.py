"""Which samples are kept, or held out: draws that a seed decides, for data sets of every kind."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.data.arrays import Labels
from zoo.errors import UsageError
from zoo.seeds import generator

Places = NDArray[np.int64]


def draw_labelled(
    labels: NDArray[np.int64] | None, num_samples: int, classes: Sequence[str], count: int, seed: int
) -> Places:
    """Return the places of `count` training samples; of one class each, as evenly over them as can be.

    `labels` are the class of each sample, None where each has several of them or none. Raise UsageError where there are
    not as many.
    """
    if not 0 < count <= num_samples:
        raise UsageError(f"--labels {count} of {num_samples:,} training samples; ask for 1 to {num_samples:,}")
    if labels is not None and count < len(classes):
        raise UsageError(
            f"--labels {count} is fewer than one for each of {len(classes)} classes; ask for {len(classes)} or more"
        )
    order = torch.randperm(num_samples, generator=generator(seed, "labels")).numpy()
    if labels is None:
        return np.sort(order[:count])
    sorted_by_class = order[np.argsort(labels[order], kind="stable")]
    sizes = np.bincount(labels, minlength=len(classes))
    rank = np.concatenate([np.arange(size) for size in sizes])  # the place of each sample within its class
    return np.sort(sorted_by_class[np.argsort(rank, kind="stable")[:count]])


def draw_held_out(num_samples: int, share: float, seed: int, labels: Labels | None = None) -> tuple[Places, Places]:
    """Return the places that stay for training, and those of this share that are held out.

    With `labels`, a class each or 0 and 1 for every class, one sample of each class stays: fewer are held out then.
    """
    count = round(num_samples * share)
    if not 0 < count < num_samples:
        raise UsageError(
            f"validation={share} of {num_samples} training samples leaves a split empty; choose another share"
        )
    order = torch.randperm(num_samples, generator=generator(seed, "hold out")).numpy()
    free = np.ones(num_samples, bool)
    if labels is not None:
        free[_last_of_each(labels[order])] = False
    held = order[np.flatnonzero(free)[:count]]
    if not len(held):
        raise UsageError(
            f"validation={share} would hold out the only sample of a class; label more, or choose validation=0"
        )
    return np.setdiff1d(order, held), np.sort(held)


def _last_of_each(labels: Labels) -> Places:
    """Return the last place of each class."""
    backwards = labels[::-1]
    if labels.ndim == 1:
        return len(labels) - 1 - np.unique(backwards, return_index=True)[1]
    shown = backwards[:, (backwards > 0).any(0)] > 0
    return np.asarray(len(labels) - 1 - shown.argmax(0), np.int64)


def placed_labels(labels: Labels, places: Places, count: int) -> Labels:
    """Return labels with each class at another place, of so many: single ones, or 0 and 1 for every class."""
    if labels.ndim == 1:
        return places[labels]
    found = np.zeros((len(labels), count), labels.dtype)
    found[:, places] = labels
    return found
