"""Give weights room for what the data they are finetuned on have more, such as items of a vocabulary."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import nn

from zoo.registry.registry import Offer, default_registry
from zoo.specs.modality import Inputs
from zoo.specs.networks import Network
from zoo.specs.records import ModelSpec
from zoo.weights.build import build


def larger_arguments(offer: Offer[ModelSpec], arguments: Mapping[str, Any], inputs: Inputs) -> dict[str, Any]:
    """Return the arguments that data raise, of those that their modality lets grow."""
    grows = default_registry().modality(offer.spec.modality).spec.grows
    asked = inputs.model_arguments() if grows else {}
    return {name: asked[name] for name in grows if name in arguments and asked.get(name, 0) > arguments[name]}


def with_room(model: nn.Module, offer: Offer[ModelSpec], arguments: Mapping[str, Any]) -> nn.Module:
    """Return a model of larger arguments whose tensors begin with those of this one; the rest of them is fresh."""
    if isinstance(model, Network):
        backbone = with_room(model.backbone, offer, {**arguments, "num_classes": cast(Any, model.backbone).num_classes})
        cast(Any, model).backbone = backbone
        return model
    larger = build(offer, arguments)
    known = model.state_dict()
    with torch.no_grad():
        for name, tensor in larger.state_dict().items():
            tensor[tuple(slice(size) for size in known[name].shape)] = known[name]
    return larger.eval()
