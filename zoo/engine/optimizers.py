"""Make optimizers and their parameter groups: decay where it belongs, smaller rates for deeper layers."""

import re
from collections.abc import Iterable
from typing import Any, Literal, cast

import torch
from torch import nn

from zoo.specs.settings import TrainingSettings

_JOINS = 99999
"""Ends the suffix of what is no layer of its own, but part of the one before: timm's number for it."""


def make_optimizer(
    name: Literal["adam", "adamw", "sgd"], groups: Iterable[Any], settings: TrainingSettings
) -> torch.optim.Optimizer:
    """Return an optimizer over parameters or groups, fused: one call a step and not one a tensor."""
    groups = list(groups)
    rate, decay = settings.learning_rate, settings.weight_decay
    if name == "sgd":
        momentum = settings.momentum
        fused = not _sharded(groups)  # there is no fused SGD of tensors in parts
        return torch.optim.SGD(groups, rate, momentum, weight_decay=decay, nesterov=momentum > 0, fused=fused)
    kind = torch.optim.Adam if name == "adam" else torch.optim.AdamW
    return kind(groups, rate, settings.betas, weight_decay=decay, fused=True)


def _sharded(groups: list[Any]) -> bool:
    """Tell whether a parameter lies in parts on several processes."""
    parameters = [item for group in groups for item in (group["params"] if isinstance(group, dict) else [group])]
    return any(hasattr(parameter, "to_local") for parameter in parameters)


def parameter_groups(
    model: nn.Module,
    settings: TrainingSettings,
    *,
    layer_decay: float = 1.0,
    unfreezing: float = 0.0,
    parameters: Iterable[tuple[str, nn.Parameter]] | None = None,
    learning_rate: float | None = None,
) -> list[dict[str, Any]]:
    """Return groups for `make_optimizer`.

    Biases, norms and what `no_weight_decay()` of the model or of a part of it names are not decayed. With `layer_decay`
    below 1 a layer's rate is `learning_rate · layer_decay ** depth`, with depth counted from the head by
    `model.group_matcher()`, as timm does.
    With `unfreezing` the layers begin to learn one after the other over this share of the training, the last one first.
    """
    named = list(model.named_parameters() if parameters is None else parameters)
    spared = _spared(model)
    layers = _layers(model, [name for name, _ in named]) if layer_decay < 1 or unfreezing else {}
    deepest = max(layers.values(), default=0) + 1
    groups: dict[tuple[float, float, float], list[nn.Parameter]] = {}
    for name, parameter in named:
        if not parameter.requires_grad:
            continue
        decay = 0.0 if parameter.ndim <= 1 or id(parameter) in spared else settings.weight_decay
        depth = deepest - layers.get(name, deepest) if layers else 0
        rate = (learning_rate or settings.learning_rate) * layer_decay**depth
        groups.setdefault((rate, decay, unfreezing * depth / deepest), []).append(parameter)
    return [
        {"params": members, "lr": rate, "weight_decay": decay, "begins": begins}
        for (rate, decay, begins), members in groups.items()
    ]


def _spared(model: nn.Module) -> set[int]:
    """Return the ids of parameters that modules say not to decay: what wraps a model need not repeat what it says."""
    return {
        id(parameter)
        for module in model.modules()
        if (names := set(getattr(module, "no_weight_decay", lambda: ())()))
        for name, parameter in module.named_parameters()
        if name in names
    }


def _layers(model: nn.Module, names: list[str]) -> dict[str, int]:
    """Return each parameter's layer, 0 for the stem, by `group_matcher`; what it does not match belongs to the head."""
    patterns = []
    for place, spec in enumerate(cast(Any, model).group_matcher().values()):
        for item in [spec] if isinstance(spec, str) else spec:
            pattern, suffix = (item, None) if isinstance(item, str) else item
            patterns.append((place, pattern, tuple(suffix or ())))
    keys: dict[str, tuple[int, ...]] = {}
    for name in names:
        for place, pattern, suffix in patterns:
            if match := re.match(pattern, name):
                keys[name] = (place, *(int(text) for text in match.groups() if text and text.isdigit()), *suffix)
                break
    layers: dict[tuple[int, ...], int] = {}
    for key in sorted(set(keys.values())):
        joined = bool(layers) and key[-1] == _JOINS
        layers[key] = max(layers.values(), default=-1) + (not joined)
    return {name: layers[key] for name, key in keys.items()}
