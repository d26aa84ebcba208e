"""Judge methods without a network by samples that they have not learnt from."""

import warnings
from typing import Any

from numpy.typing import NDArray


def held_out_answers(model: Any, inputs: Any, labels: NDArray[Any], folds: int, seed: int) -> list[int]:
    """Return what a scikit-learn classifier says of each sample when it has learnt from the other folds.

    `inputs` are what it fits on: a list of texts, or a matrix with a row for each sample.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    splits = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is as good as it gets
        warnings.filterwarnings("ignore", "The least populated class")  # its samples are told wrong
        return [int(place) for place in cross_val_predict(model, inputs, labels, cv=splits)]
