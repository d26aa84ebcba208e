"""What `zoo.pretrain` and `zoo.finetune` are asked for; these records say which arguments exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.engine.options import RunOptions
from zoo.specs.modality import DataSource
from zoo.weights.find import WeightsQuery


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What every training is asked for: on which data, how the run is kept, settings changed, and model arguments.

    `repeated` says that these are all of a record's, and not what somebody typed.
    """

    data: DataSource
    run: RunOptions
    settings: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    repeated: bool = False


@dataclass(frozen=True, kw_only=True)
class PretrainRequest(TrainingRequest):
    """A fresh model, and the recipe to train it by; None takes the model's own."""

    model: str
    recipe: str | None = None


@dataclass(frozen=True, kw_only=True)
class FinetuneRequest(TrainingRequest):
    """Weights, how they are found, and the task to train them on for; `baselines` are trained beside."""

    weights: str | Path
    task: str
    query: WeightsQuery = WeightsQuery()
    method: str | None = None
    labels: int | None = None
    baselines: bool = False
