"""Put the arguments of `zoo.pretrain` and `zoo.finetune` into the records that are passed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from zoo.engine.options import RunOptions
from zoo.modalities.data_source import data_source
from zoo.training.request import FinetuneRequest, PretrainRequest
from zoo.weights.find import WeightsQuery


def pretrain_request(model: str | Path, **requested: Any) -> PretrainRequest:
    """Return what `zoo.pretrain` is asked for."""
    return PretrainRequest(model=str(model), **_by_record(**requested))


def finetune_request(weights: str | Path, **requested: Any) -> FinetuneRequest:
    """Return what `zoo.finetune` is asked for; data and weights are on the same Hub."""
    return FinetuneRequest(weights=weights, query=WeightsQuery(hub=requested.get("hub")), **_by_record(**requested))


def _by_record(
    *,
    data: str,
    out: str | Path,
    data_dir: str | Path | None = None,
    skip_bad: int = 0,
    columns: Mapping[str, str] | None = None,
    data_options: Mapping[str, Any] | None = None,
    hub: str | Path | None = None,
    **others: Any,
) -> dict[str, Any]:
    """Gather what is said of the data and of the run; what else is said stays, and None counts as not said."""
    kept = {field.name: others.pop(field.name) for field in fields(RunOptions) if field.name in others}
    return {
        "data": data_source(data, data_dir, hub, data_options, skip_bad=skip_bad, columns=columns),
        "run": RunOptions(out=Path(out), **kept),
        **{name: value for name, value in others.items() if value is not None},
    }
