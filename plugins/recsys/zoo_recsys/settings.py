"""Settings of the recipes."""

from dataclasses import dataclass
from typing import Literal

import zoo


@dataclass(frozen=True, kw_only=True)
class RankingSettings(zoo.TrainingSettings):
    """Scores are those of the first `k` items that are recommended, of all that a user has not seen."""

    k: zoo.Count = 10
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"


@dataclass(frozen=True, kw_only=True)
class ClosedFormSettings(RankingSettings):
    """One step solves everything; what can be said of the solution are arguments of the model."""

    steps: zoo.Count | None = 1
    schedule: Literal["cosine", "constant"] = "constant"
    warmup: zoo.Share = 0.0


@dataclass(frozen=True, kw_only=True)
class MultinomialSettings(RankingSettings):
    """`kl_weight` is what the divergence of the code counts; 0 makes a denoising autoencoder (Mult-DAE).

    How many items are masked is the model's `dropout`.
    """

    epochs: zoo.Count = 100
    batch_size: zoo.Count = 128
    kl_weight: zoo.NonNegative = 0.2


@dataclass(frozen=True, kw_only=True)
class NextItemSettings(RankingSettings):
    """`negatives` items are drawn for each user; `calibration` (0 to 1) says how far what that overstates is undone.

    0 is the plain binary cross-entropy, 1 undoes all of it (gSASRec; Petrov and Macdonald, 2023).
    """

    epochs: zoo.Count = 200
    batch_size: zoo.Count = 128
    negatives: zoo.Count = 256
    calibration: zoo.Probability = 0.75


@dataclass(frozen=True, kw_only=True)
class PairwiseSettings(RankingSettings):
    """`regularization` weighs the squares of the vectors that a step looks at.

    For each row an item is drawn that its user does not have: the first of `tries`.
    """

    epochs: zoo.Count = 100
    batch_size: zoo.Count = 2048
    regularization: zoo.NonNegative = 1e-2
    tries: zoo.Count = 4


@dataclass(frozen=True, kw_only=True)
class RecommendationSettings(MultinomialSettings, NextItemSettings, PairwiseSettings, zoo.FinetuneSettings):
    """A model goes on by what it was pretrained by: of these settings, those of its own recipe count.

    What is solved at once is solved anew, from the new data alone.
    """

    epochs: zoo.Count = 20
    batch_size: zoo.Count = 128
    learning_rate: zoo.Positive = 5e-4
