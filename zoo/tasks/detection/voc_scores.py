"""Average precision as the devkit of Pascal VOC counts it since 2010 (Everingham et al., 2015)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
_LEAST_OVERLAP = 0.5


def voc_precision(pictures: Sequence[tuple[Rows, Rows]], classes: int) -> NDArray[np.float64]:
    """Return the average precision of each class at IoU 0.50, NaN for those without a box to find.

    `pictures` are what was found and what is there, as `AveragePrecision.add` takes them.
    """
    return np.array([_of_class(pictures, label) for label in range(classes)], np.float64)


def _of_class(pictures: Sequence[tuple[Rows, Rows]], label: int) -> float:
    parts = [(found[found[:, 4] == label], truth[truth[:, 4] == label]) for found, truth in pictures]
    count = sum(int((truth[:, 5] == 0).sum()) for _, truth in parts)
    if not count:
        return np.nan
    marks = [_marks(found, truth) for found, truth in parts]
    scores = np.concatenate([found[:, 5] for found, _ in parts])
    right, wrong = np.concatenate(marks)[np.argsort(-scores, kind="stable")].T.cumsum(1)
    recall = np.concatenate([[0.0], right / count, [1.0]])
    precision = np.concatenate([right / np.maximum(right + wrong, 1), [0.0]])
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * highest).sum())


def _marks(found: Rows, truth: Rows) -> NDArray[np.int64]:
    """Return for each box that was found in a picture whether it is right and whether it is wrong (boxes, 2).

    Each belongs to what it overlaps most: the first of them is right and the others wrong, and none counts where that
    is not scored.
    """
    marks = np.zeros((len(found), 2), np.int64)
    taken = np.zeros(len(truth), bool)
    overlaps = _overlaps(found, truth)
    for place in np.argsort(-found[:, 5], kind="stable"):
        best = int(overlaps[place].argmax()) if len(truth) else 0
        if not len(truth) or overlaps[place, best] < _LEAST_OVERLAP:
            marks[place, 1] = 1
        elif truth[best, 5] == 0:
            marks[place, int(taken[best])] = 1
            taken[best] = True
    return marks


def _overlaps(found: Rows, truth: Rows) -> NDArray[np.float64]:
    """Return the IoU of every box with every other (found, truth)."""
    first, second = found[:, None, :4].astype(np.float64), truth[None, :, :4].astype(np.float64)
    shared = _area(np.maximum(first[..., :2], second[..., :2]), np.minimum(first[..., 2:], second[..., 2:]))
    areas = _area(first[..., :2], first[..., 2:]) + _area(second[..., :2], second[..., 2:])
    return shared / np.maximum(areas - shared, 1e-9)


def _area(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    area: NDArray[np.float64] = (high - low).clip(min=0).prod(-1)
    return area
