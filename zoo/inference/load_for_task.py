"""Weights that write text, or make vectors, for the commands that ask that of them."""

import hashlib
import json
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from zoo.data.hashes import common_hashes
from zoo.engine.device import choose_device
from zoo.errors import UsageError
from zoo.inference.engines import compute_with, engine_named, parts_of
from zoo.inference.load import LoadedModel, load_model
from zoo.inference.text.generate import Generate
from zoo.registry.loading import load_modality
from zoo.registry.registry import default_registry
from zoo.specs.modality import Embeds, Loaded
from zoo.specs.records import ModelSpec
from zoo.weights.config import read_config
from zoo.weights.description import WeightsDescription
from zoo.weights.find import WeightsQuery, find_weights
from zoo.weights.folder import described_model, load_weights

_EMBEDS = "feature-extraction"
_DECIDING = (".json", ".safetensors", ".gguf", ".h5", ".keras")


@runtime_checkable
class _Embedding(Protocol):
    def embedder(self, loaded: Loaded) -> Embeds: ...


def _loaded(weights: str | Path, hub: str | Path | None = None, **how: Any) -> LoadedModel:
    return load_model(weights, WeightsQuery(hub=hub), **how)


def load_writer(weights: str | Path, task: str | None = None, **found: Any) -> Generate:
    """Load what writes text. Raise UsageError for weights that cannot, or with `task` are for another.

    `found` is `hub`, `device` and `dtype`, as `zoo.load` takes them.
    """
    folder = find_weights(weights, WeightsQuery(hub=found.get("hub")))
    block = read_config(folder)
    spec = described_model(block, str(folder))
    if (
        not {"generate", "encode-decode"} & set(spec.capabilities)
        or _command(block.task) == "predict"
        and block.task != task
    ):
        raise UsageError(
            f"{weights} holds {block.architecture!r} for {block.task}, which generates no text; {_use(block, spec)}"
        )
    if task is not None and block.task != task:
        raise UsageError(f"{weights} holds weights for {block.task}, not for {task}; {_use(block, spec)}")
    return _loaded(weights, **found).generate


def load_embedder(
    weights: str | Path,
    *,
    hub: str | Path | None = None,
    device: str | None = None,
    dtype: str | None = None,
    engine: str | None = None,
) -> tuple[Embeds, str]:
    """Load what makes vectors, and the sha256 over the files that decide them.

    Raise UsageError for weights that make none.
    """
    folder = find_weights(weights, WeightsQuery(hub=hub))
    block = read_config(folder)
    spec = described_model(block, str(folder))
    modality = load_modality(spec.modality)
    if not isinstance(modality, _Embedding):
        raise UsageError(
            f"{weights} takes {spec.modality} data, of which no vectors are made here; {_use(block, spec)}"
        )
    computing = engine_named(engine)
    model = load_weights(folder, block, dtype=dtype, device=choose_device(device or "cpu"))
    compute_with(computing, *parts_of(model))
    try:
        embed = modality.embedder(Loaded(model=model, spec=spec, description=block, folder=folder))
    except UsageError as error:
        raise UsageError(f"{weights}: {error}; {_use(block, spec)}") from None
    return embed, _identity(folder)


def _identity(place: Path) -> str:
    """Return the sha256 over what vectors come from: tensors, configuration, and what lies beside them."""
    files = [place] if place.is_file() else [path for path in sorted(place.rglob("*")) if path.suffix in _DECIDING]
    hashes = common_hashes(files)
    root = place.parent if place.is_file() else place
    named = [(path.relative_to(root).as_posix(), hashes[path]) for path in files]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()


def _use(block: WeightsDescription, spec: ModelSpec) -> str:
    """Say which command uses weights, as what follows a semicolon."""
    for ability in ("reconstruct", "sample", "embed"):
        if _command(block.task) == "predict" and not block.labels and ability in spec.capabilities:
            return f"use `zoo {ability}`"
    return f"use `zoo {_command(block.task)}`"


def _command(task: str) -> str:
    """Return the command that uses weights for a task."""
    offer = default_registry().known_task(task)
    return offer.spec.command if offer else "embed" if task == _EMBEDS else "predict"
