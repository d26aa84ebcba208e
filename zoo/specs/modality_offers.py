"""What a modality or its data may offer besides what all keep: choices, a classical method, the shares of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from zoo.specs.modality import Dataset, DataSource, Inputs, Need
from zoo.specs.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What a setting that was left to the data becomes, and why, in a few words."""

    value: str
    reason: str


@runtime_checkable
class ChoosesByData(Protocol):
    """A modality that chooses settings which are left to the data (`zoo.by_data`)."""

    def choose(self, kind: str, dataset: Dataset, settings: TrainingSettings) -> Chosen | None:
        """Choose by the training split: a function of data and seed, of a few seconds, that changes neither.

        Return None for a kind of choice, or for data, of which it knows nothing better than "auto".
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What a classical method comes to on the test split: its name, such as "logistic regression on pixels"."""

    name: str
    scores: Mapping[str, float]


@runtime_checkable
class HasBaseline(Protocol):
    """A modality with a classical method, which whoever finetunes can compare with."""

    def baseline(self, source: DataSource, need: Need, labels: int | None) -> Baseline | None:
        """Train it on the same samples as a network is finetuned on, and score it on the test split.

        Those are the `labels` that the seed of the settings draws, or all. Return None for data, or for a task, that it
        is no method for.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class SharedRows:
    """Which rows of tables that are as long as a model's `argument` says mean the same in two models."""

    argument: str
    mine: Sequence[int]
    theirs: Sequence[int]


@runtime_checkable
class SharesRows(Protocol):
    """A modality whose models have tables with a row for each thing that inputs are made of, such as a token."""

    def shared_rows(self, inputs: Inputs, folder: Path, description: Any) -> SharedRows:
        """Return the rows that these inputs share with those of weights in a folder, as their config.json has it."""
        ...


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """What a classical method says of training samples that it has not learnt from, beside the truth.

    Both are places of classes, of samples in the order of `zoo.features`.
    """

    name: str
    answers: Sequence[int]
    labels: Sequence[int]


@runtime_checkable
class HasHeldOutBaseline(Protocol):
    """A modality whose classical method can be judged without the test split."""

    def held_out_baseline(self, source: DataSource, need: Need, samples: int, folds: int) -> HeldOut | None:
        """Tell up to so many training samples, drawn by the seed of the settings, each fold by what the others taught.

        Return None for data, or for a task, that it is no method for.
        """
        ...


@runtime_checkable
class CountsClasses(Protocol):
    """A data set that says how its training split is spread over its classes, for a rehearsal to show."""

    def class_shares(self) -> dict[str, float]:
        """Return the share of each class; nothing where nothing is classified."""
        ...
