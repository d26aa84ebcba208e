"""Settings that are left to the data: the modality chooses, once for the same data, and the run keeps to it."""

import dataclasses
import hashlib
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from zoo.engine.loop import Plan
from zoo.engine.options import RunOptions
from zoo.engine.run import Run
from zoo.errors import PluginError
from zoo.files import cache_folder, storage_errors, write_file
from zoo.registry.loading import load_modality, naming
from zoo.registry.registry import default_registry
from zoo.specs.modality import Dataset, Inputs
from zoo.specs.modality_offers import ChoosesByData, Chosen
from zoo.specs.settings import TrainingSettings, settings_by_data

AUTO = "auto"
_WORTH_STEPS = 200
"""A shorter run would take less time than the choice."""
_METHOD = 1
"""How choices are made; those that were made otherwise are made again."""
_log = logging.getLogger("zoo")
_Settings = TypeVar("_Settings", bound=TrainingSettings)


def choose_by_data(
    settings: _Settings, modality: str, dataset: Dataset, inputs: Inputs
) -> tuple[_Settings, dict[str, str]]:
    """Return settings with what the modality chooses for those that are "auto", and why, by their names.

    A run of few steps is not worth it, and keeps "auto".
    """
    left = {name: kind for name, kind in settings_by_data(type(settings)).items() if getattr(settings, name) == AUTO}
    an_epoch = max(1, len(dataset.splits["train"]) // settings.batch_size)
    if not left or Plan.of(settings, an_epoch).total < _WORTH_STEPS:
        return settings, {}
    offer, found = default_registry().modality(modality), load_modality(modality)
    values, reasons = {}, {}
    for name, kind in left.items():
        if not isinstance(found, ChoosesByData):
            break
        path = _cached(kind, dataset, inputs, settings.seed)
        chosen = _read(path)
        if chosen is None:
            with naming(offer.plugin, f"modality {modality!r}"):
                chosen = found.choose(kind, dataset, settings)
            if chosen is None:
                continue
            with storage_errors(f"keeping what was chosen in {path.parent}"):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_file(path, msgspec.json.encode(chosen))
        values[name], reasons[name] = chosen.value, chosen.reason
        _log.info("%s=%s, chosen by the data: %s", name, chosen.value, chosen.reason)
    return _with(settings, values, modality), reasons


def kept_choices(settings: _Settings, run: RunOptions, given: Collection[str]) -> _Settings:
    """Return settings with what a resumed run has for those that are left to the data, unless another is given."""
    if not run.resume:
        return settings
    recorded = Run.recorded(run.out).get("settings")
    names = settings_by_data(type(settings))
    known = {name: recorded[name] for name in names if isinstance(recorded, dict) and name in recorded}
    kept = {name: value for name, value in known.items() if name not in given or getattr(settings, name) == AUTO}
    return dataclasses.replace(settings, **kept)


def _with(settings: _Settings, values: Mapping[str, Any], modality: str) -> _Settings:
    """Raise PluginError for a value that the settings cannot have."""
    chosen = dataclasses.replace(settings, **values)
    try:
        return msgspec.convert(dataclasses.asdict(chosen), type(settings))
    except msgspec.ValidationError as error:
        raise PluginError(f"modality {modality!r} chooses what no setting can be: {error}; report it") from None


def _cached(kind: str, dataset: Dataset, inputs: Inputs, seed: int) -> Path:
    """Return where a choice is kept: by all that decides it."""
    key = "\n".join((kind, dataset.fingerprint, str(seed), str(_METHOD))).encode()
    digest = hashlib.sha256(key + msgspec.json.encode(inputs.record()))
    return cache_folder() / "choices" / f"{digest.hexdigest()}.json"


def _read(path: Path) -> Chosen | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Chosen)
    except (OSError, msgspec.MsgspecError):
        return None
