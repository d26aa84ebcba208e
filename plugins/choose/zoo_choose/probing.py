"""What a linear classifier on frozen features gets right, by cross-validation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import zoo
from zoo_choose.transferability import Labels, Matrix

MOST_FOLDS = 5


@dataclass(frozen=True)
class Probed:
    """Probabilities (samples, classes) of each sample by a classifier that has not seen it, and what was right.

    `right` is (samples,): 0 or 1, or where a sample may have several classes the share of them that was told right.
    """

    probabilities: Matrix
    right: Matrix

    @property
    def score(self) -> float:
        """The accuracy in percent."""
        return float(100 * self.right.mean())


def folds_of(labels: NDArray[Any], seed: int) -> NDArray[np.int64]:
    """Return the fold of every sample, each class spread over all of them.

    Raise DataError where there are fewer than two classes, or no class has two samples.
    """
    names, places = np.unique(labels, axis=0, return_inverse=True)
    if len(names) < 2:
        raise zoo.DataError("all samples are of one class; give data with two or more")
    counts = np.bincount(places.ravel())
    if len(labels) < 2 * len(names):
        raise zoo.DataError(
            f"{len(labels)} samples of {len(names)} classes are too few to compare weights by; give two a class or more"
        )
    count = int(min(MOST_FOLDS, max(2, np.median(counts))))
    random = np.random.default_rng(seed)
    folds = np.empty(len(labels), int)
    start = 0
    for place in range(len(names)):
        members = np.flatnonzero(places.ravel() == place)
        folds[random.permutation(members)] = (start + np.arange(len(members))) % count
        start += len(members)  # so that rare classes do not all lie in the first fold
    return folds


def probe(depths: list[NDArray[Any]], labels: Labels, folds: NDArray[np.int64]) -> Probed:
    """Return the mean of the probabilities that classifiers on each depth give; every sample is told by others.

    Raise DataError for features that are not finite.
    """
    if not all(np.isfinite(vectors).all() for vectors in depths):
        raise zoo.DataError("its features are not finite")
    total = np.mean([_by_folds(np.asarray(vectors, "f8"), labels, folds) for vectors in depths], axis=0)
    if labels.ndim == 2:
        return Probed(total, ((total > 0.5) == (labels > 0.5)).mean(1))
    return Probed(total, (np.unique(labels)[total.argmax(1)] == labels).astype("f8"))


def _by_folds(vectors: Matrix, labels: Labels, folds: NDArray[np.int64]) -> Matrix:
    known = np.unique(labels) if labels.ndim == 1 else np.arange(labels.shape[1])
    found = np.zeros((len(labels), len(known)))
    for fold in np.unique(folds):
        inside, outside = folds != fold, folds == fold
        mean, deviation = vectors[inside].mean(0), vectors[inside].std(0) + 1e-6
        train, test = (
            (part - mean) / deviation / vectors.shape[1] ** 0.5 for part in (vectors[inside], vectors[outside])
        )
        if labels.ndim == 1:
            found[np.ix_(outside, np.isin(known, labels[inside]))] = _fitted(train, labels[inside], test)
        else:
            columns = [
                _fitted(train, column, test)[:, -1] * (1.0 if column.any() else 0.0) for column in labels[inside].T
            ]
            found[outside] = np.stack(columns, 1)
    return found


def _fitted(train: Matrix, labels: Labels, test: Matrix) -> Matrix:
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(labels)) == 1:
        return np.ones((len(test), 1))
    probabilities: Matrix = LogisticRegression(C=10.0, max_iter=300).fit(train, labels).predict_proba(test)
    return probabilities
