"""Tell classes of pictures by a method without a network, to compare with."""

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.data.augmentation.choosing import small
from zoo.data.classical import held_out_answers
from zoo.data.images.batches import to_floats
from zoo.data.images.dataset import ImageSplit

MOST = 10_000
"""Of more training pictures it would take longer than the network."""
_AT_ONCE = 256


def pixel_accuracy(train: ImageSplit, test: ImageSplit, places: NDArray[np.int64]) -> float:
    """Return the test accuracy, in percent, of logistic regression on pixels, learnt from the pictures at `places`.

    Pictures are scaled to at most 32 pixels a side, and pixels to [0, 1].
    """
    from sklearn.exceptions import ConvergenceWarning

    assert train.labels is not None and test.labels is not None
    model = _classifier()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is as good as it gets
        model.fit(_pixels(train.images, places), train.labels[places])
    return 100 * float(model.score(_pixels(test.images, np.arange(len(test))), test.labels))


def pixel_answers(train: ImageSplit, folds: int, seed: int) -> list[int]:
    """Return what the same method says of each training picture when it has learnt from the other folds."""
    assert train.labels is not None
    return held_out_answers(_classifier(), _pixels(train.images, np.arange(len(train))), train.labels, folds, seed)


def _classifier() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000)


def _pixels(images: Any, places: NDArray[np.int64]) -> NDArray[np.float32]:
    parts = [places[start : start + _AT_ONCE] for start in range(0, len(places), _AT_ONCE)]
    rows = [small(to_floats(torch.from_numpy(images[part]))).flatten(1) for part in parts]
    return np.asarray(torch.cat(rows).numpy(), np.float32)
