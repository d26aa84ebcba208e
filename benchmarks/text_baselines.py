"""Measure what simple methods reach where `benchmarks/text.py` measures networks.

    ZOO_DATA=../shared/data /tmp/zoo-peers/bin/python benchmarks/text_baselines.py     # made by benchmarks/peers.sh

Classes of texts by TF-IDF of words and pairs of words with logistic regression (C = 10), with all labels, and with the
same labels that `--labels 500` draws for five seeds. Summaries by the lead, the first sentence of a text.
"""

import argparse
import re
import statistics
from collections.abc import Sequence

import numpy as np

from zoo.data.drawing import draw_labelled
from zoo.data.text import known
from zoo.data.text.baseline import word_accuracy
from zoo.tasks.text.scores import rouge_scores

LABELS = 500
SEEDS = range(5)


def classes(name: str) -> None:
    data = getattr(known, name)(None)
    train, test = data.splits["train"], data.splits["test"]
    everything = np.arange(len(train))
    print(f"{name}: all {len(train):,} labels {word_accuracy(train, test, everything):.2f} %")
    drawn = [draw_labelled(train.labels, len(train), data.classes, LABELS, seed) for seed in SEEDS]
    found = [word_accuracy(train, test, rows) for rows in drawn]
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
