"""What can be done next with a run, as lines to type, which a shell without a terminal takes, too."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api import models
from zoo.publishing.licences import licence_to_say
from zoo.registry.registry import Offer, default_registry
from zoo.specs.records import ModelSpec, RecipeSpec, TaskSpec
from zoo.training.result import RunResult

if TYPE_CHECKING:
    from zoo.weights.description import WeightsDescription


def after_pretraining(result: RunResult, model: str) -> list[str]:
    """Return what follows weights that know no task yet."""
    block, run = models.describe(result.weights), str(result.folder)
    task = _task_for(default_registry().model(block.architecture, block.plugin), block.task)
    out = "classifier" if task and task.learns_from == "labels" else "finetuned"
    return [
        *([_typed("finetune", run, "--task", task.name, "--data", "DATA", "--out", f"{run}-{out}")] if task else []),
        *([_use(block, run)] if not _predicts(block) else []),
        to_push(result.folder, model),
    ]


def _task_for(model: Offer[ModelSpec], made_for: str) -> TaskSpec | None:
    """Return a task that the model can be finetuned for: its own, one of its plugin, or the first; None without any.

    Its own is left out where it goes on with a head that weights `made_for` something else have not learnt.
    """
    fitting: list[Offer[TaskSpec]] = [
        offer for offer in default_registry().offers("tasks") if _fits(offer.spec, model.spec)
    ]
    goes_on = [offer for offer in fitting if offer.spec.learns_from != "tokens" or offer.spec.name == made_for]
    own = [offer for offer in goes_on if offer.spec.name == model.spec.task]
    beside = [offer for offer in fitting if offer.plugin.distribution == model.plugin.distribution]
    return next((offer.spec for offer in (*own, *beside, *goes_on)), None)


def _fits(task: TaskSpec, model: ModelSpec) -> bool:
    recipes: list[RecipeSpec] = [offer.spec for offer in default_registry().offers("recipes")]
    recipe = next((recipe for recipe in recipes if recipe.name == task.recipe), None)
    return task.modality == model.modality and recipe is not None and set(recipe.requires) <= set(model.capabilities)


def after_finetuning(result: RunResult, asked: Mapping[str, Any]) -> list[str]:
    """Return what follows weights that were finetuned for a task: scores on the data that were asked for, first."""
    block, run = models.describe(result.weights), str(result.folder)
    return [
        _typed("evaluate", run, "--data", asked["data"], *said_of_data(asked)),
        _use(block, run),
        to_push(result.folder, result.folder.resolve().name),
    ]


def said_of_data(asked: Mapping[str, Any]) -> list[str]:
    """Return the options that say more of data, such as --data-dir and their columns, as they are typed."""
    given = {name: asked[name] for name in ("data_dir", "skip_bad", "hub") if asked.get(name)}
    given |= asked.get("columns") or {}
    named = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    options = asked.get("data_options") or {}
    return named + [word for name, value in options.items() for word in ("--data-set", f"{name}={value}")]


def to_push(run: Path, name: str) -> str:
    """Return the command that pushes a finished run, to a repo that nobody else sees until it is shown."""
    repo = re.sub(r"[^A-Za-z0-9_]+", "-", name.rpartition("/")[2]).strip("-_") or "model"
    license = licence_to_say(run / "weights")
    return _typed("push", str(run), f"you/{repo}", "--private", *(["--license", license] if license else []))


def _typed(*words: str) -> str:
    return shlex.join(["zoo", *words])


def _predicts(block: "WeightsDescription") -> bool:
    task = default_registry().known_task(block.task)
    return task is None or task.spec.command == "predict"


def _use(block: "WeightsDescription", run: str) -> str:
    """Return the command that uses weights, with what it takes."""
    task = default_registry().known_task(block.task)
    modality = default_registry().model(block.architecture, block.plugin).spec.modality
    example = default_registry().modality(modality).spec.example
    return f"{_typed(task.spec.command if task else 'predict', run)} {example}"
