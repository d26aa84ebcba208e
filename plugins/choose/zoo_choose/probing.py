"""What a linear classifier on frozen features gets right, by cross-validation."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import zoo
from zoo_choose.transferability import Labels, Matrix

MOST_FOLDS = 5
Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]
"""Places to learn from, and places to be told, fold by fold."""


@dataclass(frozen=True)
class Probed:
    """Probabilities (samples, classes) of each sample by a classifier that has not seen it, and what was right.

    `right` is (samples,): 0 or 1, or where a sample may have several classes the share of them that was told right.
    `by_depth` is what each depth by itself tells right, the classifier's input last.
    """

    probabilities: Matrix
    right: Matrix
    by_depth: tuple[Matrix, ...] = ()

    @property
    def score(self) -> float:
        """The accuracy in percent."""
        return float(100 * self.right.mean())


def folds_of(labels: NDArray[Any], seed: int) -> Folds:
    """Return folds over which every class is spread.

    Raise DataError where there are fewer than two classes, or no class has two samples.
    """
    from sklearn.model_selection import StratifiedKFold

    names, places = np.unique(labels, axis=0, return_inverse=True)
    if len(names) < 2:
        raise zoo.DataError("all samples are of one class; give data with two or more")
    if len(labels) < 2 * len(names):
        raise zoo.DataError(
            f"{len(labels)} samples of {len(names)} classes are too few to compare weights by; give two a class or more"
        )
    count = int(min(MOST_FOLDS, max(2, np.median(np.bincount(places.ravel())))))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # its samples are told wrong
        return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(labels, places.ravel()))


def probe(depths: Sequence[NDArray[Any]], labels: Labels, folds: Folds) -> Probed:
    """Return the mean of the probabilities that classifiers on each depth give; every sample is told by others.

    Raise DataError for features that are not finite.
    """
    if not all(np.isfinite(vectors).all() for vectors in depths):
        raise zoo.DataError("its features are not finite")
    each = [_by_folds(np.asarray(vectors, "f8"), labels, folds) for vectors in depths]
    total: Matrix = np.mean(each, axis=0)
    return Probed(total, _right(total, labels), tuple(_right(one, labels) for one in each))


def _right(probabilities: Matrix, labels: Labels) -> Matrix:
    if labels.ndim == 2:
        agreed: Matrix = ((probabilities > 0.5) == (labels > 0.5)).mean(1)
        return agreed
    right: Matrix = (np.unique(labels)[probabilities.argmax(1)] == labels).astype("f8")
    return right


def _by_folds(vectors: Matrix, labels: Labels, folds: Folds) -> Matrix:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    line = LogisticRegression(C=10.0 / vectors.shape[1], max_iter=300)
    model = make_pipeline(StandardScaler(), line if labels.ndim == 1 else OneVsRestClassifier(line))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Number of classes in training fold")  # a rare class is told wrong there
        warnings.filterwarnings("ignore", "Label .* is present in all|Label not")  # a column of one value
        told: Matrix = cross_val_predict(model, vectors, labels, cv=folds, method="predict_proba")
    return told
