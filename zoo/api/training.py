"""What `import zoo` offers for training: pretrain, finetune, rehearse, reproduce, evaluate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from zoo.training.result import RunResult

if TYPE_CHECKING:
    from zoo.specs.modality import Dataset
    from zoo.specs.modality_offers import HeldOut
    from zoo.training.dry_run import DryRun
    from zoo.training.evaluate import Answers, Evaluated
    from zoo.training.features import Features
    from zoo.training.reproduce import Reproduction


class Options(TypedDict, total=False):
    """How a run is kept and shown.

    `resume` goes on with the run that is there, with `override` also where settings have changed; `force` replaces it.
    `keep` checkpoints are kept. `sharding` is what several processes do: "ddp" or "fsdp". When no step has gone on for
    `stall_seconds` the run ends and says which process hangs; 0 waits for ever.

    `track` names trackers: "tensorboard", or "package.module:attribute".

    In `settings`, a `batch_size` of "auto" takes the largest power of two that fits into memory, and `steps` of "10m"
    as many as fit into ten minutes here (s, m or h).
    """

    device: str | None
    sharding: Literal["ddp", "fsdp"]
    resume: bool
    force: bool
    override: bool
    keep: int
    stall_seconds: float
    track: tuple[str, ...]
    progress: bool


def pretrain(
    model: str,
    *,
    data: str,
    out: str | Path,
    data_dir: str | Path | None = None,
    skip_bad: int = 0,
    recipe: str | None = None,
    settings: Mapping[str, Any] | None = None,
    arguments: Mapping[str, Any] | None = None,
    hub: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    data_options: Mapping[str, Any] | None = None,
    **options: Unpack[Options],
) -> RunResult:
    """Train a model from random weights by a recipe of the stage pretrain; write everything to the run folder `out`.

    `data` is a data set's name, an image folder, text files, or `hf://datasets/…` on the Hub that `hub` says. `columns`
    names what a table of texts holds: text, pair, label, target; `data_options` say what else a modality can be told of
    its data. `recipe` is a name or a TOML file; None takes the
    model's own. `Options` says how the run is kept. Under torchrun every process calls this.
    """
    from zoo.api.requests import pretrain_request
    from zoo.training.prepare import prepare_job
    from zoo.training.run import run_job

    request = pretrain_request(
        model,
        data=data,
        out=out,
        data_dir=data_dir,
        skip_bad=skip_bad,
        recipe=recipe,
        settings=settings,
        arguments=arguments,
        hub=hub,
        columns=columns,
        data_options=data_options,
        **options,
    )
    return run_job(prepare_job(request))


def finetune(
    weights: str | Path,
    *,
    task: str,
    data: str,
    out: str | Path,
    method: str | None = None,
    labels: int | None = None,
    baselines: bool = False,
    data_dir: str | Path | None = None,
    skip_bad: int = 0,
    settings: Mapping[str, Any] | None = None,
    arguments: Mapping[str, Any] | None = None,
    hub: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    data_options: Mapping[str, Any] | None = None,
    **options: Unpack[Options],
) -> RunResult:
    """Train pretrained weights on for a task; write everything to the run folder `out`.

    `method` is full, gradual (layer after layer begins, from the last one down), frozen (the head alone learns), lora
    (low-rank corrections learn, which `zoo.push(..., adapter=True)` can send alone) or scratch (the same network from
    random weights, to compare with; then `weights` may also be the name of a model, which is made to fit the data).
    `labels` takes that many labelled training samples, as many of each class as can be, drawn by the seed. `arguments`
    are those of the model that only change how it learns, such as its dropout; else it has those of the weights. By its
    name a model takes all of them. `baselines` also trains the same network from scratch, and a classical method that
    scikit-learn has; the result then says what they came to.
    `columns` names what a table of texts holds: text, pair, label, target; `data_options` say what else a modality can
    be told of its data.
    """
    from zoo.api.requests import finetune_request
    from zoo.training.baselines import run_with_baselines
    from zoo.training.prepare import prepare_job
    from zoo.training.run import run_job

    request = finetune_request(
        weights,
        task=task,
        data=data,
        out=out,
        method=method,
        labels=labels,
        baselines=baselines,
        data_dir=data_dir,
        skip_bad=skip_bad,
        settings=settings,
        arguments=arguments,
        hub=hub,
        columns=columns,
        data_options=data_options,
        **options,
    )
    job = prepare_job(request)
    return run_with_baselines(request, job) if baselines else run_job(job)


def dry_run(stage: Literal["pretrain", "finetune"], name: str | Path, **arguments: Any) -> DryRun:
    """Settle and check everything that `pretrain` or `finetune` would do with these arguments, and time a few steps.

    Nothing is written. Raise what training would raise before its first step.
    """
    from zoo.api.requests import finetune_request, pretrain_request
    from zoo.training.dry_run import dry_run_job
    from zoo.training.prepare import prepare_job

    settings = arguments.pop("settings", None) or {}
    settings = {name: value for name, value in settings.items() if name != "folds"}  # those would be trained for hours
    request = (pretrain_request if stage == "pretrain" else finetune_request)(name, settings=settings, **arguments)
    return dry_run_job(prepare_job(request))


def features(
    weights: str | Path, *, task: str, data: str, samples: int = 2000, seed: int = 0, **arguments: Any
) -> Features:
    """Return what the classifier of weights would get of up to `samples` labelled training samples, drawn by the seed.

    Beside that stands what each stage of a backbone gives out, pooled. `task`, `data` and further arguments are those
    of `finetune`; nothing is trained or written. Raise UsageError for a task without a classifier.
    """
    from zoo.api.requests import finetune_request
    from zoo.training.features import labelled_features
    from zoo.training.job import finetuning

    settings = {**arguments.pop("settings", {}), "steps": 1}  # nothing is trained, and nothing chosen to train by
    request = finetune_request(weights, task=task, data=data, out="features", settings=settings, **arguments)
    return labelled_features(finetuning(request), samples, seed)


def held_out_baseline(
    weights: str | Path, *, task: str, data: str, samples: int = 2000, seed: int = 0, folds: int = 5, **arguments: Any
) -> HeldOut | None:
    """Return what a classical method says of the samples of `features`, each by what the others taught it.

    The arguments are those of `features`; `weights` say which kind of data it is. The test split is not looked at.
    Return None where the modality has no such method for the task.
    """
    from zoo.api.requests import finetune_request
    from zoo.training.baselines import classical_held_out

    settings = {**arguments.pop("settings", {}), "steps": 1, "seed": seed}
    request = finetune_request(weights, task=task, data=data, out="baseline", settings=settings, **arguments)
    return classical_held_out(request, samples, folds)


def reproduce(
    source: str | Path, *, out: str | Path, hub: str | Path | None = None, **options: Unpack[Options]
) -> Reproduction:
    """Train again what made a run or weights, and compare: on CPU to the bit, elsewhere by the scores."""
    from zoo.engine.options import RunOptions
    from zoo.training.reproduce import reproduce_run
    from zoo.weights.find import WeightsQuery

    return reproduce_run(source, WeightsQuery(hub=hub), RunOptions(out=Path(out), **options))


def evaluate(
    weights: str | Path,
    *,
    data: str,
    data_dir: str | Path | None = None,
    skip_bad: int = 0,
    hub: str | Path | None = None,
    device: str | None = None,
    columns: Mapping[str, str] | None = None,
    data_options: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Return the scores of weights on the test split of a data set, or on all of it where it has none.

    They are scored by the recipe that made them, and by their own classes, which the data may lack some of.
    """
    return evaluated(
        weights,
        data=data,
        data_dir=data_dir,
        skip_bad=skip_bad,
        hub=hub,
        device=device,
        columns=columns,
        data_options=data_options,
        each=False,
    ).scores


def answers(
    weights: str | Path,
    *,
    data: str,
    splits: Sequence[str] = ("test",),
    hub: str | Path | None = None,
    device: str | None = None,
    columns: Mapping[str, str] | None = None,
    data_options: Mapping[str, Any] | None = None,
) -> dict[str, Answers]:
    """Return by split what weights say of every sample: logits, the true labels, and the data that they belong to.

    The data are opened as the recipe that made the weights scores them. Raise UsageError for weights for no classes.
    """
    from zoo.modalities.data_source import data_source
    from zoo.training.evaluate import answers_of
    from zoo.weights.find import WeightsQuery

    source = data_source(data, None, hub, data_options, columns=columns)
    return answers_of(weights, WeightsQuery(hub=hub), source, splits, device=device)


def dataset_for(
    weights: str | Path,
    *,
    data: str,
    hub: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    data_options: Mapping[str, Any] | None = None,
) -> Dataset:
    """Return data as `answers` opens them for weights, in the form that these take, and in their classes."""
    from zoo.modalities.data_source import data_source
    from zoo.training import evaluate as scoring
    from zoo.weights.find import WeightsQuery

    return scoring.dataset_for(
        weights, WeightsQuery(hub=hub), data_source(data, None, hub, data_options, columns=columns)
    )


def evaluated(
    weights: str | Path, *, data: str, hub: str | Path | None, device: str | None, each: bool, **said: Any
) -> Evaluated:
    """Return what `evaluate` does with the number of samples, scores by class, and with `each` predictions.

    `said` is what else `evaluate` takes of the data.
    """
    from zoo.modalities.data_source import data_source
    from zoo.training.evaluate import evaluate_weights
    from zoo.weights.find import WeightsQuery

    source = data_source(
        data, said["data_dir"], hub, said["data_options"], skip_bad=said["skip_bad"], columns=said["columns"]
    )
    return evaluate_weights(weights, WeightsQuery(hub=hub), source, device=device, each=each)
