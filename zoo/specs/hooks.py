"""The hooks of a plugin. Each is a generator of specs; it opens no file, no socket and no torch."""

from collections.abc import Iterable

import pluggy

from zoo.specs.records import (
    AbilitySpec,
    CommandSpec,
    ComparisonSpec,
    DatasetSpec,
    EngineSpec,
    ExplainerSpec,
    FamilySpec,
    FormatSpec,
    LayoutSpec,
    MethodSpec,
    ModalitySpec,
    ModelSpec,
    RecipeSpec,
    TaskSpec,
    TrackerSpec,
)

hookspec = pluggy.HookspecMarker("zoo")
hookimpl = pluggy.HookimplMarker("zoo")

SPEC_TYPES = {
    "modalities": ModalitySpec,
    "models": ModelSpec,
    "families": FamilySpec,
    "recipes": RecipeSpec,
    "tasks": TaskSpec,
    "datasets": DatasetSpec,
    "commands": CommandSpec,
    "formats": FormatSpec,
    "layouts": LayoutSpec,
    "methods": MethodSpec,
    "abilities": AbilitySpec,
    "explainers": ExplainerSpec,
    "trackers": TrackerSpec,
    "engines": EngineSpec,
    "comparisons": ComparisonSpec,
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
def zoo_families() -> Iterable[FamilySpec]:
    """Offer many model architectures at once, each described when it is asked for."""
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


@hookspec
def zoo_formats() -> Iterable[FormatSpec]:
    """Offer containers of weights other than safetensors."""
    return ()


@hookspec
def zoo_layouts() -> Iterable[LayoutSpec]:
    """Offer how other libraries store models, also those of other plugins."""
    return ()


@hookspec
def zoo_methods() -> Iterable[MethodSpec]:
    """Offer ways to finetune."""
    return ()


@hookspec
def zoo_abilities() -> Iterable[AbilitySpec]:
    """Offer what loaded weights can be asked."""
    return ()


@hookspec
def zoo_explainers() -> Iterable[ExplainerSpec]:
    """Offer ways to explain predictions."""
    return ()


@hookspec
def zoo_trackers() -> Iterable[TrackerSpec]:
    """Offer trackers of runs."""
    return ()


@hookspec
def zoo_engines() -> Iterable[EngineSpec]:
    """Offer what computes loaded models."""
    return ()


@hookspec
def zoo_comparisons() -> Iterable[ComparisonSpec]:
    """Offer what the Hub's page /compare tells of two commits by reading their tensors."""
    return ()
