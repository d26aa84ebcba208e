"""A little data of every kind, to try what a plugin offers with: its own, or what comes with Zoo."""

import inspect
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch

from zoo.errors import ZooError
from zoo.modalities.data_source import open_data, task_reader
from zoo.registry.loading import load_named
from zoo.registry.plugins import CORE
from zoo.registry.recipe_settings import settings_from
from zoo.registry.registry import Offer, default_registry
from zoo.specs.modality import DataSource, Need
from zoo.specs.records import ModelSpec, RecipeSpec, TaskSpec

_SAMPLES = 8
_TEXTS = "texts.txt"


@dataclass(frozen=True)
class Sample:
    """Data that were opened for a model and a recipe: the first samples as a batch, and what goes with them."""

    batch: dict[str, torch.Tensor]
    classes: tuple[str, ...]
    inputs: Any
    arguments: dict[str, Any]


@cache
def sample(model: str, recipe: str, data: str | None, data_dir: str | None) -> Sample:
    """Open data as a run of this recipe on this model would: `data`, or the first of those known by name that opens.

    Skip the test where there are none.
    """
    offers = default_registry().model(model), default_registry().recipe(recipe)
    task = next((one for one in default_registry().offers("tasks") if one.spec.recipe == recipe), None)
    refused = []
    with TemporaryDirectory() as folder:
        for name in [data] if data is not None else [*_named(offers[0], offers[1]), *_texts(offers[0], Path(folder))]:
            try:
                return _opened(
                    DataSource(name=name, folder=None if data_dir is None else Path(data_dir)),
                    offers[0],
                    offers[1],
                    task,
                )
            except ZooError as error:
                if data is not None:
                    raise
                refused.append(f"{name}: {error}")
    said = "; ".join(refused) or "none known"
    pytest.skip(
        f"no data at hand for {recipe} on {model}: name some by --data, or where they lie by --data-dir ({said})"
    )


def _named(model: Offer[ModelSpec], recipe: Offer[RecipeSpec]) -> list[str]:
    """Return data sets of the model's kind, those of the same plugins first, then Zoo's own small ones."""
    near = {model.plugin.distribution, recipe.plugin.distribution} - {CORE}
    offers = [one for one in default_registry().offers("datasets") if one.spec.modality == model.spec.modality]
    own = [one.spec.name for one in offers if one.plugin.distribution in near]
    return own + [one.spec.name for one in offers if one.spec.name.endswith("_sample") and one.spec.name not in own]


def _texts(model: Offer[ModelSpec], folder: Path) -> list[str]:
    """Return a file of English text, the license that everybody has, for models of what such files hold."""
    suffixes = default_registry().modality(model.spec.modality).spec.suffixes
    text = distribution(CORE).read_text("licenses/LICENSE")
    if ".txt" not in suffixes or text is None:
        return []
    (folder / _TEXTS).write_text(text, encoding="utf-8")
    return [str(folder / _TEXTS)]


def _opened(
    source: DataSource, model: Offer[ModelSpec], recipe: Offer[RecipeSpec], task: Offer[TaskSpec] | None
) -> Sample:
    settings = settings_from(recipe, _quick(recipe))
    goal = task if recipe.spec.stage == "finetune" else None
    need = Need(
        stage=recipe.spec.stage,
        recipe=recipe.spec,
        settings=settings,
        model=model.spec,
        task=goal.spec if goal else None,
        reader=task_reader(goal),
    )
    dataset, inputs = open_data(source, need)
    if goal is not None:
        dataset.check(goal.spec.learns_from)
    elif recipe.spec.labels:
        dataset.check("labels")
    options: dict[str, Any] = {"batch_size": _SAMPLES, "seed": 0, "shuffle": True, "drop_last": False}
    batches = dataset.splits["train"].batches(device=torch.device("cpu"), **options)
    batch = {name: tensor for name, tensor in next(batches.epoch(0)).items() if name != "index"}
    taken = inspect.signature(load_named(model, "target")).parameters
    arguments = {name: value for name, value in inputs.model_arguments().items() if name in taken}
    classes = dataset.classes if dataset.labelled or goal is not None else ()
    return Sample(batch, classes, inputs, arguments)


def _quick(recipe: Offer[RecipeSpec]) -> dict[str, Any]:
    """Return settings that need nothing but the data: a tokenizer that is not learnt."""
    known = {field.name for field in fields(load_named(recipe, "settings"))}
    return {"tokenizer": "bytes"} if recipe.spec.stage == "pretrain" and "tokenizer" in known else {}
