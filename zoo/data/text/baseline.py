"""Tell classes of texts by a method without a network, to compare with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.classical import held_out_answers
from zoo.data.text.dataset import Documents, TextSplit


def word_accuracy(train: TextSplit, test: TextSplit, places: NDArray[np.int64]) -> float:
    """Return the test accuracy, in percent, of logistic regression on TF-IDF, learnt from the texts at `places`.

    That is of words and pairs of words, with sublinear counts and C = 10.
    """
    assert train.labels is not None and test.labels is not None
    pipeline = _classifier()
    texts = _whole(train)
    pipeline.fit([texts[place] for place in places], train.labels[places])
    return 100 * float(pipeline.score(_whole(test), test.labels))


def word_answers(train: TextSplit, places: NDArray[np.int64], folds: int, seed: int) -> list[int]:
    """Return what the same method says of each text at `places` when it has learnt from the other folds."""
    assert train.labels is not None
    texts = _whole(train)
    return held_out_answers(_classifier(), [texts[place] for place in places], train.labels[places], folds, seed)


def _classifier() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10, max_iter=1000)
    )


def _whole(split: TextSplit) -> Sequence[str]:
    """Return texts with their second ones behind them."""
    texts = [text for text, _ in split.texts.pieces()] if isinstance(split.texts, Documents) else list(split.texts)
    return texts if split.pairs is None else [f"{text} {pair}" for text, pair in zip(texts, split.pairs, strict=True)]
