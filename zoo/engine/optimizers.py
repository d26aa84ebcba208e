"""Make optimizers and their parameter groups: decay where it belongs, smaller rates for deeper layers."""

import re
from collections.abc import Iterable
from typing import Any, Literal, cast

import torch
from torch import nn

from zoo.specs.settings import TrainingSettings


def make_optimizer(
    name: Literal["adam", "adamw", "sgd"], groups: Iterable[Any], settings: TrainingSettings
) -> torch.optim.Optimizer:
    """Return an optimizer over parameters or groups, fused: one call a step and not one a tensor."""
    rate, decay = settings.learning_rate, settings.weight_decay
    if name == "sgd":
        momentum = settings.momentum
        return torch.optim.SGD(groups, rate, momentum, weight_decay=decay, nesterov=momentum > 0, fused=True)
    kind = torch.optim.Adam if name == "adam" else torch.optim.AdamW
    return kind(groups, rate, weight_decay=decay, fused=True)


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

    Biases, norms and what `model.no_weight_decay()` names are not decayed. With `layer_decay` below 1 a layer's rate is
    `learning_rate · layer_decay ** depth`, with depth counted from the head by `model.group_matcher()` (timm's form).
    With `unfreezing` the layers begin to learn one after the other over this share of the training, the last one first.
    """
    named = list(model.named_parameters() if parameters is None else parameters)
    spared = set(getattr(model, "no_weight_decay", lambda: ())())
    layers = _layers(model, [name for name, _ in named]) if layer_decay < 1 or unfreezing else {}
    deepest = max(layers.values(), default=0) + 1
    groups: dict[tuple[float, float, float], list[nn.Parameter]] = {}
    for name, parameter in named:
        if not parameter.requires_grad:
            continue
        decay = 0.0 if parameter.ndim <= 1 or name in spared else settings.weight_decay
        depth = deepest - layers.get(name, deepest) if layers else 0
        rate = (learning_rate or settings.learning_rate) * layer_decay**depth
        groups.setdefault((rate, decay, unfreezing * depth / deepest), []).append(parameter)
    return [
        {"params": members, "lr": rate, "weight_decay": decay, "begins": begins}
        for (rate, decay, begins), members in groups.items()
    ]


def _layers(model: nn.Module, names: list[str]) -> dict[str, int]:
    """Return each parameter's layer, 0 for the stem, by the regular expressions of `group_matcher`."""
    matcher = cast(Any, model).group_matcher()
    blocks = matcher["blocks"]
    patterns = (
        [blocks] if isinstance(blocks, str) else [item[0] if isinstance(item, tuple) else item for item in blocks]
    )
    keys: dict[str, tuple[int, ...]] = {}
    for name in names:
        if re.match(matcher["stem"], name):
            keys[name] = (-1,)
            continue
        for place, pattern in enumerate(patterns):
            if match := re.match(pattern, name):
                keys[name] = (place, *(int(text) for text in match.groups() if text and text.isdigit()))
                break
    order = {key: layer for layer, key in enumerate(sorted(set(keys.values())))}
    return {name: order[key] for name, key in keys.items()}
