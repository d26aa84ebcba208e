"""Load weights into their model, and bind to it what can be asked of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from msgspec.structs import replace
from torch import nn

from zoo.engine.device import choose_device
from zoo.errors import UsageError
from zoo.inference.engines import compute_with, engine_named, parts_of
from zoo.inference.explain import Explain, bind_explain
from zoo.inference.predict_images import Predict
from zoo.inference.text.generate import Generate
from zoo.registry.loading import load_modality, load_named, naming
from zoo.registry.registry import default_registry
from zoo.specs.modality import Embeds, Loaded
from zoo.specs.networks import Network
from zoo.specs.records import AbilitySpec
from zoo.weights.config import read_config
from zoo.weights.description import WeightsDescription
from zoo.weights.features import Features
from zoo.weights.find import WeightsQuery, find_weights
from zoo.weights.folder import described_model, load_weights, offered_model
from zoo.weights.head import replace_head
from zoo.weights.saving import remember
from zoo.weights.stem import with_channels


class LoadedModel(nn.Module):
    """What `load` returns, for type checkers: a model, and what can be asked of it besides."""

    predict: Predict
    generate: Generate
    embed: Embeds
    explain: Explain


def load_model(
    source: str | Path,
    query: WeightsQuery,
    *,
    num_classes: int | None = None,
    channels: int | None = None,
    features_only: bool = False,
    dtype: str | torch.dtype | None = None,
    device: str | None = None,
    engine: str | None = None,
) -> LoadedModel:
    """Load the weights that `source` and the query name; the rest is as `zoo.load` takes it."""
    where, computing = choose_device(device or "cpu"), engine_named(engine)
    folder = find_weights(source, query)
    block = read_config(folder)
    spec = described_model(block, str(folder))
    model: Any = load_weights(folder, block, dtype=dtype, device=where)
    if isinstance(model, Network):
        if channels is not None or num_classes is not None:
            raise UsageError(f"{source} holds a complete network for {block.task}; omit channels and num_classes")
        if features_only:
            model = model.backbone
    if channels is not None:
        model = with_channels(model, offered_model(block, str(folder)), block.arguments, channels)
    if num_classes is not None:
        replace_head(model, num_classes)
    if features_only:
        model = Features(model).eval()
        compute_with(computing, model)
        return cast("LoadedModel", model)
    compute_with(computing, *parts_of(model))
    remember(model, _changed(block, num_classes=num_classes, channels=channels), folder)
    changed = num_classes is not None or channels is not None
    loaded = Loaded(model=model, spec=spec, description=block, folder=folder, changed=changed)
    load_modality(spec.modality).bind(loaded)
    bind_explain(loaded)
    _bind_abilities(loaded)
    return cast("LoadedModel", model)


def _bind_abilities(loaded: Loaded) -> None:
    """Bind what plugins offer to ask of such weights; what the model has of its own stays."""
    for offer in default_registry().offers("abilities"):
        spec: AbilitySpec = offer.spec
        fits = spec.modality in (None, loaded.spec.modality) and set(spec.requires) <= set(loaded.spec.capabilities)
        if fits and not hasattr(loaded.model, spec.name):
            make = load_named(offer, "target")
            with naming(offer.plugin, f"ability {spec.name!r}"):
                setattr(loaded.model, spec.name, make(loaded))


def _changed(block: WeightsDescription, **arguments: int | None) -> WeightsDescription:
    """Return what describes the model with these arguments; labels and inputs are those of the model as it was."""
    new = {name: value for name, value in arguments.items() if value not in (None, block.arguments.get(name))}
    if not new:
        return block
    labels = () if "num_classes" in new else block.labels
    inputs = None if "channels" in new else block.inputs
    return replace(block, arguments={**block.arguments, **new}, labels=labels, inputs=inputs)
