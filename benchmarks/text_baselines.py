"""Measure what simple methods reach where `benchmarks/text.py` measures networks.

    ZOO_DATA=../shared/data /tmp/zoo-peers/bin/python benchmarks/text_baselines.py     # made by benchmarks/peers.sh

Classes of texts by TF-IDF of words and pairs of words with logistic regression (C = 10), with all labels, and with the
same labels that `--labels 500` draws for five seeds. Summaries by the lead, the first sentence of a text.
"""

import argparse
import re
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from zoo.data.drawing import draw_labelled
from zoo.data.text import known
from zoo.tasks.text.scores import rouge_scores

LABELS = 500
SEEDS = range(5)


def accuracy(train: Any, test: Any, rows: NDArray[np.int64]) -> float:
    """Return the test accuracy of a classifier of these training texts, in percent."""
    pipeline = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10, max_iter=1000)
    )
    pipeline.fit([train.texts[row] for row in rows], train.labels[rows])
    return 100 * float(pipeline.score(list(test.texts), test.labels))


def classes(name: str) -> None:
    data = getattr(known, name)(None)
    train, test = data.splits["train"], data.splits["test"]
    everything = np.arange(len(train))
    print(f"{name}: all {len(train):,} labels {accuracy(train, test, everything):.2f} %")
    drawn = [draw_labelled(train.labels, len(train), data.classes, LABELS, seed) for seed in SEEDS]
    found = [accuracy(train, test, rows) for rows in drawn]
    print(f"{name}: {LABELS} labels {statistics.mean(found):.2f} ± {statistics.stdev(found):.2f} %, {len(found)} seeds")


def lead(texts: Sequence[str], references: Sequence[str]) -> None:
    scores = rouge_scores([re.split(r"(?<=[.!?])\s", text.strip())[0] for text in texts], references)
    print("aeslc: the first sentence: " + ", ".join(f"{name} {value:.2f}" for name, value in scores.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    classes("ag_news")
    classes("trec")
    test = known.aeslc(None).splits["test"]
    lead(list(test.texts), test.written)


if __name__ == "__main__":
    main()
