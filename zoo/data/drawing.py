"""Which samples are kept, or held out: draws that a seed decides, for data sets of every kind."""

import hashlib
from collections.abc import Collection, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.data.arrays import Labels
from zoo.data.splitting import Groups, held_out
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
    fewest = 1 if labels is None else max(1, len(classes))
    if not 0 < count <= num_samples:
        raise UsageError(f"--labels {count} of {num_samples:,} training samples; ask for {fewest} to {num_samples:,}")
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


def draw_held_out(
    num_samples: int,
    share: float,
    seed: int,
    labels: Labels | Sequence[Collection[int]] | None = None,
    groups: Groups | None = None,
) -> tuple[Places, Places]:
    """Return the places that stay for training, and those of this share that are held out.

    `labels` are the class of each sample, of which the same share is held out each, or the classes of each: 0 and 1 for
    every class, or their numbers. None that a class cannot be learnt without is held out. Samples of one of `groups`,
    a number each, stay together. Raise UsageError where that leaves too few.
    """
    count = round(num_samples * share)
    if not 0 < count < num_samples:
        raise UsageError(
            f"validation={share} of {num_samples} training samples leaves a split empty; choose another share"
        )
    order = torch.randperm(num_samples, generator=generator(seed, "hold out")).numpy()
    if _are_classes(labels) or groups is not None:
        held = np.array(sorted(held_out(order.tolist(), _classes(labels, num_samples), count, groups)), np.int64)
        if len(held) < count and groups is None:
            raise UsageError(
                f"validation={share} of {num_samples} training samples leaves classes without any to learn; choose a "
                "smaller share"
            )
        if not len(held):
            raise UsageError(
                f"validation={share} of {num_samples} training samples cannot be held out without copies of them among "
                "the rest; choose another share"
            )
        return np.setdiff1d(order, held), held
    return np.sort(order[count:]), np.sort(order[:count])


def held_out_fingerprint(
    fingerprint: str, labels: Labels | Sequence[Collection[int]] | None, groups: Groups | None = None
) -> str:
    """Return the fingerprint of data of which a part is held out by class or group, which was drawn otherwise before.

    Samples without either are drawn as ever.
    """
    several = not isinstance(labels, np.ndarray) or labels.ndim == 2
    by_class = ("classes" if several else "class") if _are_classes(labels) else ""
    known = " and ".join(filter(None, (by_class, "" if groups is None else "group")))
    return hashlib.sha256(f"{fingerprint} by {known}".encode()).hexdigest() if known else fingerprint


def _are_classes(labels: Labels | Sequence[Collection[int]] | None) -> bool:
    """Tell whether labels are classes, and not values to come near to."""
    return labels is not None and not (isinstance(labels, np.ndarray) and labels.dtype.kind == "f")


def _classes(labels: Labels | Sequence[Collection[int]] | None, num_samples: int) -> Sequence[Collection[int]]:
    """Return the classes of each sample, none where they have values or nothing."""
    if labels is None or not _are_classes(labels):
        return [()] * num_samples
    if not isinstance(labels, np.ndarray):
        return labels
    return [(label,) for label in labels.tolist()] if labels.ndim == 1 else [np.flatnonzero(row) for row in labels]


def placed_labels(labels: Labels, places: Places, count: int) -> Labels:
    """Return labels with each class at another place, of so many: single ones, or 0 and 1 for every class."""
    if labels.ndim == 1:
        return places[labels]
    found = np.zeros((len(labels), count), labels.dtype)
    found[:, places] = labels
    return found
