"""What `zoo.pretrain` and `zoo.finetune` are asked for, settled: a job, and how it is run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zoo.modalities.data_source import data_source
from zoo.training.batch_size import fit_batch_size
from zoo.training.job import Job, finetuning, pretraining
from zoo.training.options import RunOptions


def pretraining_order(
    model: str | Path,
    *,
    data: str,
    out: str | Path,
    data_dir: str | Path | None = None,
    skip_bad: int = 0,
    settings: Mapping[str, Any] | None = None,
    recipe: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    hub: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    data_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[Job, RunOptions]:
    """Settle what `zoo.pretrain` is asked for: the job, and how it is run."""

    def settle(changed: Mapping[str, Any]) -> Job:
        source = data_source(data, data_dir, hub, data_options, skip_bad=skip_bad, columns=columns)
        return pretraining(str(model), source, recipe=recipe, settings=changed, arguments=arguments)

    return _settled(settle, settings or {}, out, options)


def finetuning_order(
    weights: str | Path,
    *,
    task: str,
    data: str,
    out: str | Path,
    data_dir: str | Path | None = None,
    skip_bad: int = 0,
    settings: Mapping[str, Any] | None = None,
    method: str | None = None,
    labels: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    hub: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    data_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[Job, RunOptions]:
    """Settle what `zoo.finetune` is asked for: the job, and how it is run."""

    def settle(changed: Mapping[str, Any]) -> Job:
        source = data_source(data, data_dir, hub, data_options, skip_bad=skip_bad, columns=columns)
        return finetuning(weights, task, source, settings=changed, labels=labels, arguments=arguments, hub=hub)

    return _settled(settle, {**(settings or {}), **({"method": method} if method else {})}, out, options)


def _settled(
    settle: Callable[[Mapping[str, Any]], Job], settings: Mapping[str, Any], out: str | Path, options: Mapping[str, Any]
) -> tuple[Job, RunOptions]:
    """Settle a job and how it is run; a batch size of "auto" becomes the largest that fits."""
    chosen = RunOptions(out=Path(out), **options)
    if settings.get("batch_size") != "auto":
        return settle(settings), chosen
    return fit_batch_size(
        settle({name: value for name, value in settings.items() if name != "batch_size"}), chosen
    ), chosen
