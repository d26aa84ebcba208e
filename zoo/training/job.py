"""Settle a job: which model, recipe and settings, on which data, until nothing is left to be decided."""

import dataclasses
import os
import platform
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from msgspec.structs import replace
from torch import nn

from zoo.engine.options import RunOptions
from zoo.engine.run import Run
from zoo.errors import PluginError, UsageError
from zoo.modalities.data_source import open_data, task_reader
from zoo.redaction import without_secrets, without_secrets_in
from zoo.registry.recipe_settings import check_recipe_fits, given_settings, recipe_settings, settings_from, typed
from zoo.registry.registry import Offer, default_registry
from zoo.specs.modality import Dataset, Inputs, Need
from zoo.specs.networks import Network
from zoo.specs.records import ModelSpec, RecipeSpec
from zoo.specs.settings import FinetuneSettings, TrainingSettings
from zoo.training.beginning import Stored, beginning, fresh_arguments
from zoo.training.choices import choose_by_data, kept_choices
from zoo.training.growth import larger_arguments, with_room
from zoo.training.pins import pinned_settings
from zoo.training.rates import Rates, kept_rates, rates_for
from zoo.training.request import FinetuneRequest, PretrainRequest, TrainingRequest
from zoo.training.start import start_licence, started
from zoo.version import __version__
from zoo.weights.build import build
from zoo.weights.description import AdapterRecord, BaseRecord
from zoo.weights.folder import load_weights
from zoo.weights.stored import tensors_sha256

_Settings = TypeVar("_Settings", bound=TrainingSettings)


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """Everything that is settled before the first step. `resolved` is what run.json keeps of it."""

    run: RunOptions
    offer: Offer[ModelSpec]
    arguments: dict[str, Any]
    recipe: Offer[RecipeSpec]
    settings: TrainingSettings
    dataset: Dataset
    classes: tuple[str, ...]
    inputs: Inputs
    task: str
    resolved: dict[str, Any]
    make_model: Callable[[], nn.Module]
    """Builds the model that training begins with; random weights come from torch's global generator."""
    learns_labels: bool = False
    """Whether what is trained ends in a head of as many outputs as there are classes."""
    adapter: AdapterRecord | None = None
    """Describes what is learnt beside weights of the Hub, where the method is LoRA."""
    need: Need | None = None
    """What the data of finetuning were opened for."""
    with_rates: Rates = field(default=lambda settings: settings)
    """Puts the rates that nobody gave into settings, for another batch size, too."""

    def with_batch_size(self, size: int) -> "TrainingJob":
        """Return the job with another batch size, and the rates that follow from it."""
        return self.with_settings(self.with_rates(dataclasses.replace(self.settings, batch_size=size)))

    def with_steps(self, steps: int) -> "TrainingJob":
        """Return the job with another number of steps."""
        return self.with_settings(dataclasses.replace(self.settings, steps=steps))

    def with_settings(self, settings: TrainingSettings, reasons: Mapping[str, str] | None = None) -> "TrainingJob":
        """Return the job with other settings, and why they were chosen where the data did."""
        chosen = {**self.resolved.get("chosen", {}), **(reasons or {})}
        resolved = {**self.resolved, "settings": dataclasses.asdict(settings), "chosen": chosen}
        return dataclasses.replace(self, settings=settings, resolved=resolved)


def pretraining(request: PretrainRequest) -> TrainingJob:
    """Settle the training of a fresh model by a recipe of the stage pretrain."""
    requested = request.arguments
    offer = default_registry().model(request.model)
    spec, chosen = recipe_settings(request.recipe, request.model, request.settings)
    if spec.stage != "pretrain":
        raise UsageError(
            f"recipe {spec.name!r} finetunes; use `zoo finetune`, or choose another (`zoo list --recipes`)"
        )
    check_recipe_fits(spec, offer.spec)
    given = given_settings(request.recipe, request.settings)
    chosen = kept_choices(chosen, request.run, given)
    need = Need(stage="pretrain", recipe=spec, settings=chosen, model=offer.spec, arguments=requested)
    dataset, inputs = open_data(request.data, need)
    if spec.labels:
        dataset.check("labels")
        _check_classes(request, dataset)
    taken = fresh_arguments(offer, inputs, requested)
    found = default_registry().recipe(spec.name)
    own = offer.spec.settings if offer.spec.recipe == spec.name else {}
    with_rates = kept_rates(request.run, rates_for(offer, taken, chosen, given, own), given)
    trained_on = _with_validation(dataset, chosen)
    chosen, reasons = _choices(request, with_rates(chosen), offer, trained_on, inputs)
    resolved = _resolved("pretrain", offer, taken, spec, chosen, dataset, request, spec.task)
    resolved |= {"pins": pinned_settings(chosen), "chosen": reasons, **start_licence(chosen)}
    return TrainingJob(
        run=request.run,
        offer=offer,
        arguments=taken,
        recipe=found,
        settings=chosen,
        dataset=trained_on,
        classes=dataset.classes if dataset.labelled else (),
        inputs=inputs,
        task=spec.task,
        resolved=resolved,
        make_model=lambda: started(offer, taken, inputs, chosen),
        learns_labels=spec.labels,
        with_rates=with_rates,
    )


def finetuning(request: FinetuneRequest) -> TrainingJob:
    """Settle the training on of pretrained weights, or of a fresh model from scratch, by the recipe of the task."""
    registry, task, hub = default_registry(), request.task, request.query.hub
    goal = registry.task(task)
    recipe = registry.recipe(goal.spec.recipe)
    chosen = settings_from(
        recipe, {**typed(request.settings), **({"method": request.method} if request.method else {})}
    )
    if not isinstance(chosen, FinetuneSettings):
        raise PluginError(
            f"the settings of recipe {recipe.spec.name!r} of {recipe.plugin.distribution} do not extend "
            "zoo.FinetuneSettings; report it to its author"
        )
    chosen = kept_choices(chosen, request.run, request.settings)
    registry.method(chosen.method)
    begins = beginning(request, chosen.method)
    offer, stored = begins.offer, begins.stored
    check_recipe_fits(recipe.spec, offer.spec)
    need = Need(
        stage="finetune",
        recipe=recipe.spec,
        settings=chosen,
        model=offer.spec,
        arguments=request.arguments if stored is None else {},
        inputs=begins.inputs,
        task=goal.spec,
        same_task=begins.made_for(task),
        reader=task_reader(goal),
        grows=True,
    )
    dataset, inputs = open_data(request.data, need)
    dataset.check(goal.spec.learns_from)
    if goal.spec.learns_from == "labels":
        _check_classes(request, dataset)
    if request.labels is not None:
        dataset = dataset.subset(request.labels, chosen.seed)
    arguments = begins.arguments(request.arguments, inputs)
    larger = larger_arguments(offer, arguments, inputs)
    rates = rates_for(offer, arguments, chosen, request.settings, {})
    with_rates = kept_rates(request.run, rates, request.settings)
    trained_on = _with_validation(dataset, chosen)
    settled, reasons = _choices(request, with_rates(chosen), offer, trained_on, inputs)
    chosen = cast(FinetuneSettings, settled)
    resolved = _resolved("finetune", offer, arguments, recipe.spec, chosen, dataset, request, task)
    resolved |= {
        "weights": without_secrets(str(request.weights)),
        "labels": request.labels,
        "chosen": reasons,
        "hub": None if hub is None else without_secrets(str(hub)),
        **begins.record(request),
    }
    resolved["pins"] = {**resolved.get("pins", {}), **pinned_settings(chosen)}

    def make_model() -> nn.Module:
        if stored is None or chosen.method == "scratch":
            return build(offer, {**arguments, **larger})
        block = replace(stored.block, arguments=arguments)
        model = load_weights(stored.folder, block, dtype="float32")  # small steps vanish in half precision
        if larger:
            model = with_room(model, offer, {**arguments, **larger})
        same = begins.made_for(task) and block.labels == dataset.classes
        return model.backbone if isinstance(model, Network) and not same else model

    adapter = None if stored is None or larger else _adapter(chosen, stored)
    own = arguments if stored is None or adapter is None else stored.block.arguments  # an adapter has those of its base
    return TrainingJob(
        run=request.run,
        offer=offer,
        arguments={**own, **larger},
        recipe=recipe,
        settings=chosen,
        dataset=trained_on,
        classes=dataset.classes,
        inputs=inputs,
        task=task,
        resolved=resolved,
        make_model=make_model,
        learns_labels=goal.spec.learns_from == "labels",
        adapter=adapter,
        need=need,
        with_rates=with_rates,
    )


def _choices(
    request: TrainingRequest, settings: _Settings, offer: Offer[ModelSpec], dataset: Dataset, inputs: Inputs
) -> tuple[_Settings, dict[str, str]]:
    """Return settings with what the data choose, and why; a run on record has chosen already."""
    if request.run.resume or request.repeated:
        return settings, {}
    if os.environ.get("RANK", "0") == "0":  # to other processes a run that the first has begun would not look free
        Run.check_free(request.run.out, force=request.run.force)  # before seconds are spent on a choice
    return choose_by_data(settings, offer.spec.modality, dataset, inputs)


def _check_classes(request: TrainingRequest, dataset: Dataset) -> None:
    """Raise UsageError where another number of classes was typed than the data have."""
    found = len(dataset.classes)
    requested = request.arguments.get("num_classes", found)
    if requested != found and not request.repeated:
        raise UsageError(
            f"num_classes={requested}, but {dataset.name} has {found} classes, which the head gets; omit num_classes"
        )


def _with_validation(dataset: Dataset, settings: TrainingSettings) -> Dataset:
    """Return the data set with a split to choose the best weights by, where the settings ask for one."""
    if settings.validation != "split":
        return dataset.hold_out(settings.validation, settings.seed) if settings.validation else dataset
    if "validation" not in dataset.splits:
        raise UsageError(
            f"{dataset.name} has no validation split; hold out part of its training split: --set validation=0.1"
        )
    return dataset


def _adapter(settings: FinetuneSettings, stored: Stored) -> AdapterRecord | None:
    """Return how an adapter names its base; None where there is none, or its base is an adapter or no repo's folder."""
    pulled = stored.pulled
    if settings.method != "lora" or pulled is None or stored.block.adapter is not None or stored.folder.is_file():
        return None
    base = BaseRecord(repo=pulled.repo, commit=pulled.commit, sha256=tensors_sha256(pulled.folder))
    return AdapterRecord(rank=settings.lora_rank, alpha=settings.lora_alpha, base=base)


def _resolved(
    kind: str,
    offer: Offer[ModelSpec],
    arguments: dict[str, Any],
    recipe: RecipeSpec,
    settings: TrainingSettings,
    dataset: Dataset,
    request: TrainingRequest,
    task: str,
) -> dict[str, Any]:
    source = request.data
    resolved = {
        "kind": kind,
        "model": offer.spec.name,
        "arguments": arguments,
        "recipe": recipe.name,
        "settings": dataclasses.asdict(settings),
        "task": task,
        "data": {"name": dataset.name, "fingerprint": dataset.fingerprint},
        "source": {
            "name": source.name,
            "folder": None if source.folder is None else str(source.folder),
            "hub": None if source.hub is None else str(source.hub),
            "options": dict(source.options),
        },
        "folder": str(Path.cwd()),
        "environment": {
            "zoo": __version__,
            offer.plugin.distribution: offer.plugin.version,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "threads": torch.get_num_threads(),
        },
        "command": _command() if Path(sys.argv[0]).name in ("zoo", "__main__.py") else None,
    }
    if of_data := {name: value for name, value in request.arguments.items() if name not in arguments}:
        resolved["data_arguments"] = of_data
    clean: dict[str, Any] = without_secrets_in(resolved)
    return clean


def _command() -> str:
    return shlex.join(["zoo", *map(without_secrets, sys.argv[1:])])  # quotes in a password would hide its end
