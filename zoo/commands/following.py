"""What can be done next with a run, as lines to type."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api import models
from zoo.registry.registry import Offer, default_registry
from zoo.specs.records import ModelSpec, RecipeSpec, TaskSpec
from zoo.training.result import RunResult

if TYPE_CHECKING:
    from zoo.weights.description import WeightsDescription


def after_pretraining(result: RunResult, model: str) -> list[str]:
    """Return what follows weights that know no task yet."""
    block, run = models.describe(result.weights), result.folder
    task = _task_for(default_registry().model(block.architecture, block.plugin))
    out = "classifier" if task and task.learns_from == "labels" else "finetuned"
    return [
        *([f"zoo finetune {run} --task {task.name} --data DATA --out {run}-{out}"] if task else []),
        *([_use(block, run)] if not _predicts(block) else []),
        f"zoo push {run} you/{model}",
    ]


def _task_for(model: Offer[ModelSpec]) -> TaskSpec | None:
    """Return a task that the model can be finetuned for: its own, one of its plugin, or the first; None without any."""
    fitting: list[Offer[TaskSpec]] = [
        offer for offer in default_registry().offers("tasks") if _fits(offer.spec, model.spec)
    ]
    own = [offer for offer in fitting if offer.spec.name == model.spec.task]
    beside = [offer for offer in fitting if offer.plugin.distribution == model.plugin.distribution]
    return next((offer.spec for offer in (*own, *beside, *fitting)), None)


def _fits(task: TaskSpec, model: ModelSpec) -> bool:
    recipes: list[RecipeSpec] = [offer.spec for offer in default_registry().offers("recipes")]
    recipe = next((recipe for recipe in recipes if recipe.name == task.recipe), None)
    return task.modality == model.modality and recipe is not None and set(recipe.requires) <= set(model.capabilities)


def after_finetuning(
    result: RunResult, data: str, columns: Mapping[str, str], data_options: Mapping[str, Any]
) -> list[str]:
    """Return what follows weights that were finetuned for a task, on these columns of the data."""
    block, run = models.describe(result.weights), result.folder
    named = [word for role, name in columns.items() for word in (f"--{role}", name)]
    named += [word for name, value in data_options.items() for word in ("--data-set", f"{name}={value}")]
    return [
        shlex.join(["zoo", "evaluate", str(run), "--data", data, *named]),
        _use(block, run),
        f"zoo push {run} you/{run.name}",
    ]


def _predicts(block: "WeightsDescription") -> bool:
    task = default_registry().known_task(block.task)
    return task is None or task.spec.command == "predict"


def _use(block: "WeightsDescription", run: Path) -> str:
    """Return the command that uses weights, with what it takes."""
    task = default_registry().known_task(block.task)
    modality = default_registry().model(block.architecture, block.plugin).spec.modality
    example = default_registry().modality(modality).spec.example
    return f"zoo {task.spec.command if task else 'predict'} {run} {example}"
