"""What a modality or its data may offer besides what all keep: choices, a classical method, the shares of classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from zoo.specs.modality import Dataset, DataSource, Need
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


@runtime_checkable
class CountsClasses(Protocol):
    """A data set that says how its training split is spread over its classes, for a rehearsal to show."""

    def class_shares(self) -> dict[str, float]:
        """Return the share of each class; nothing where nothing is classified."""
        ...
