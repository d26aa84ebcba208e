"""Labels that are probably wrong, by confident learning (Northcutt et al., 2021), as cleanlab has it.

The probabilities are of samples that they were not learnt from: a logistic regression over frozen features, in five
folds. What the network itself says of samples that it was trained on would excuse their labels.
"""

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

import zoo

_FOLDS = 5
_ROUNDS = 300


def available() -> bool:
    """Tell whether the libraries that this takes are here."""
    return find_spec("cleanlab") is not None and find_spec("sklearn") is not None


def label_errors(
    features: NDArray[np.float32], labels: NDArray[np.int64], seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the places of suspect labels, the most suspect first, and probabilities (samples, classes)."""
    if not available():
        raise zoo.UsageError("label errors are found by cleanlab; install it: pip install 'zoo-explain[labels]'")
    from cleanlab.filter import find_label_issues

    chances = out_of_fold(features, labels, seed)
    known, places = np.unique(labels, return_inverse=True)
    found = find_label_issues(places, chances[:, known], return_indices_ranked_by="self_confidence", n_jobs=1)
    return np.asarray(found, np.int64), chances


def out_of_fold(features: NDArray[np.float32], labels: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Return probabilities (samples, classes) by regressions that have not seen the sample."""
    from sklearn.linear_model import LogisticRegression

    chances = np.zeros((len(labels), int(labels.max()) + 1))
    order = np.random.default_rng(seed).permutation(len(labels))
    ranked = order[np.argsort(labels[order], kind="stable")]  # so that each fold has its share of every class
    scaled = (features - features.mean(0)) / (features.std(0) + 1e-6)
    for fold in range(_FOLDS):
        held = np.zeros(len(labels), bool)
        held[ranked[fold::_FOLDS]] = True
        regression = LogisticRegression(C=0.1, max_iter=_ROUNDS, tol=1e-3)
        regression.fit(scaled[~held], labels[~held])
        chances[np.ix_(held, regression.classes_)] = regression.predict_proba(scaled[held])
    return chances
