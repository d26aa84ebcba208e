"""Open data by their modality, with what was said of them."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from zoo.errors import DataError, PluginError, UsageError
from zoo.registry.loading import load_modality, load_named, naming
from zoo.registry.registry import Offer, default_registry
from zoo.specs.modality import Dataset, DataSource, Inputs, Need
from zoo.specs.records import ModalitySpec, ModelSpec, TaskSpec
from zoo.weights.inputs import inputs_record


def data_source(
    name: str,
    folder: str | Path | None,
    hub: str | Path | None,
    options: Mapping[str, Any] | None = None,
    *,
    skip_bad: int = 0,
    columns: Mapping[str, str] | None = None,
) -> DataSource:
    """Return where data come from, as it was typed; `skip_bad` and `columns` are options of images and of texts."""
    said = {**({"skip_bad": skip_bad} if skip_bad else {}), **(columns or {}), **(options or {})}
    return DataSource(name=name, folder=None if folder is None else Path(folder), hub=hub, options=said)


def open_data(source: DataSource, need: Need) -> tuple[Dataset, Inputs]:
    """Open data as a model needs them, and say how they become its inputs.

    Raise UsageError for options that its modality does not know, DataError for a data set of another modality, and
    PluginError for what is no data set.
    """
    offer = default_registry().modality(need.model.modality)
    _check_kind(source.name, need.model)
    typed = with_options(source, offer.spec.name)
    modality = load_modality(offer.spec.name)
    with naming(offer.plugin, f"modality {offer.spec.name!r}"):
        dataset, inputs = modality.open(typed, need)
    if not isinstance(dataset, Dataset) or not isinstance(inputs, Inputs):
        raise PluginError(
            f"modality {offer.spec.name!r} of {offer.plugin.distribution} opened {source.name!r} as a "
            f"{type(dataset).__name__} with {type(inputs).__name__}, no zoo.Dataset and zoo.Inputs; report it to its "
            "author"
        )
    inputs_record(inputs)  # what config.json cannot keep is said before anything is learnt
    return dataset, inputs


def with_options(source: DataSource, modality: str) -> DataSource:
    """Return a source with its options as the modality's own dataclass. Raise UsageError for ones it does not know."""
    return dataclasses.replace(source, options=_typed(default_registry().modality(modality), source.options))


def task_reader(task: Offer[TaskSpec] | None) -> Any:
    """Return what a task names to open a folder of its data; None where it names nothing."""
    return None if task is None or task.spec.reader is None else load_named(task, "reader")


def _check_kind(name: str, model: ModelSpec) -> None:
    known = (offer.spec for offer in default_registry().offers("datasets") if offer.spec.name == name)
    if (spec := next(known, None)) is not None and spec.modality != model.modality:
        raise DataError(
            f"data set {name!r} is {spec.modality} data, and {model.name!r} takes {model.modality}; "
            f"`zoo list --datasets --modality {model.modality}` shows others"
        )


def _typed(offer: Offer[ModalitySpec], options: Mapping[str, Any]) -> Any:
    spec = offer.spec
    kind = None if spec.data_options is None else load_named(offer, "data_options")
    known = [] if kind is None else [field.name for field in dataclasses.fields(kind)]
    if unknown := [name for name in options if name not in known]:
        has = f"of {spec.name} data these can be said: {', '.join(known)}" if known else f"{spec.name} data take none"
        raise UsageError(f"{unknown[0]!r} is not an option of {spec.name} data; {has}")
    try:
        return None if kind is None else msgspec.convert(dict(options), kind, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"{error} in the options of the data; {spec.name} data take {', '.join(known)}") from None
