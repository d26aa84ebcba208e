"""The hooks of a plugin. Each is a generator of specs; it opens no file, no socket and no torch."""

from collections.abc import Iterable

import pluggy

from zoo.specs import CommandSpec, DatasetSpec, ModalitySpec, ModelSpec, RecipeSpec, TaskSpec

hookspec = pluggy.HookspecMarker("zoo")
hookimpl = pluggy.HookimplMarker("zoo")

SPEC_TYPES = {
    "modalities": ModalitySpec,
    "models": ModelSpec,
    "recipes": RecipeSpec,
    "tasks": TaskSpec,
    "datasets": DatasetSpec,
    "commands": CommandSpec,
}


@hookspec
def zoo_modalities() -> Iterable[ModalitySpec]:
    """Offer kinds of data."""
    return ()


@hookspec
def zoo_models() -> Iterable[ModelSpec]:
    """Offer model architectures."""
    return ()


@hookspec
def zoo_recipes() -> Iterable[RecipeSpec]:
    """Offer recipes to pretrain and to finetune."""
    return ()


@hookspec
def zoo_tasks() -> Iterable[TaskSpec]:
    """Offer tasks that models are finetuned for."""
    return ()


@hookspec
def zoo_datasets() -> Iterable[DatasetSpec]:
    """Offer data sets by name."""
    return ()


@hookspec
def zoo_commands() -> Iterable[CommandSpec]:
    """Offer subcommands of `zoo`."""
    return ()
