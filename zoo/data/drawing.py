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
        raise UsageError(f"--labels {count} is fewer than one for each of {len(classes)} classes; ask for more")
    order = torch.randperm(num_samples, generator=generator(seed, "labels")).numpy()
    if labels is None:
        return np.sort(order[:count])
    sorted_by_class = order[np.argsort(labels[order], kind="stable")]
    sizes = np.bincount(labels, minlength=len(classes))
    rank = np.concatenate([np.arange(size) for size in sizes])  # the place of each sample within its class
    return np.sort(sorted_by_class[np.argsort(rank, kind="stable")[:count]])


def draw_held_out(num_samples: int, share: float, seed: int) -> tuple[Places, Places]:
    """Return the places that stay for training, and those of this share that are held out."""
    count = round(num_samples * share)
    if not 0 < count < num_samples:
        raise UsageError(
            f"validation={share} of {num_samples} training samples leaves a split empty; choose another share"
        )
    order = torch.randperm(num_samples, generator=generator(seed, "hold out")).numpy()
    return np.sort(order[count:]), np.sort(order[:count])


def placed_labels(labels: Labels, places: Places, count: int) -> Labels:
    """Return labels with each class at another place, of so many: single ones, or 0 and 1 for every class."""
    if labels.ndim == 1:
        return places[labels]
    found = np.zeros((len(labels), count), labels.dtype)
    found[:, places] = labels
    return found
