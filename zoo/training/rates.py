"""Choose the rates that nobody has given: from the size of the model, the method and the batch, by a stated rule."""

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from zoo.engine.options import RunOptions
from zoo.engine.run import Run
from zoo.registry.registry import Offer, default_registry
from zoo.specs.records import ModelSpec
from zoo.specs.settings import FinetuneSettings, RateRule, TrainingSettings, rate_rules
from zoo.weights.build import build

_SGD = {"fresh": 0.1, "pretrained": 0.02}
"""SGD's rates for each 256 samples of a batch (Goyal et al., 2017; Kornblith et al., 2019), of the head's."""
_SGD_BATCH = 256
_ADAPTERS = 4.0
"""By how much adapters learn faster than all weights would; never slower than `_ADAPTERS_LEAST` (Hu et al., 2021)."""
_ADAPTERS_LEAST = 2e-4

Rates = Callable[[TrainingSettings], TrainingSettings]


def rates_for(
    offer: Offer[ModelSpec],
    arguments: Mapping[str, Any],
    settings: TrainingSettings,
    given: Collection[str],
    own: Mapping[str, Any],
) -> Rates:
    """Return what puts rates into settings, by the rules of their recipe; those that are `given` stay.

    `own` are the settings that the model has for its recipe: a rate there is for its very size, and for its own batch.
    """
    rules = {name: rule for name, rule in rate_rules(type(settings)).items() if name not in given}
    if not rules:
        return lambda settings: settings
    parameters = sum(item.numel() for item in build(offer, arguments, device="meta").parameters())

    def with_rates(settings: TrainingSettings) -> TrainingSettings:
        chosen = {name: _chosen(name, rule, settings, own, parameters) for name, rule in rules.items()}
        numbers: dict[str, Any] = {name: float(f"{value:.3g}") for name, value in chosen.items()}
        return dataclasses.replace(settings, **numbers)

    return with_rates


def kept_rates(run: RunOptions, rates: Rates, given: Collection[str]) -> Rates:
    """Return what puts rates into settings: where a run is resumed those that it has, unless others are given."""
    if not run.resume:
        return rates
    recorded = Run.recorded(run.out).get("settings")
    names = ("learning_rate", "backbone_rate")
    known = {name: recorded[name] for name in names if isinstance(recorded, dict) and name in recorded}

    def with_rates(settings: TrainingSettings) -> TrainingSettings:
        kept = {name: value for name, value in known.items() if name not in given and hasattr(settings, name)}
        return dataclasses.replace(rates(settings), **kept)

    return with_rates


def _chosen(name: str, rule: RateRule, settings: TrainingSettings, own: Mapping[str, Any], parameters: int) -> float:
    defaults: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(settings)}
    theirs = name in own and _by_sgd({**defaults, **own}["optimizer"]) == _by_sgd(settings.optimizer)
    rate = float(own[name] if theirs else defaults[name])
    batch: float = settings.batch_size / {**defaults, **own}["batch_size"]
    if name == "learning_rate" and _by_sgd(settings.optimizer):
        if theirs or _by_sgd(defaults["optimizer"]):
            return rate * batch
        fresh = not isinstance(settings, FinetuneSettings) or settings.method == "scratch"
        return _SGD["fresh" if fresh else "pretrained"] * settings.batch_size / _SGD_BATCH
    method = settings.method if isinstance(settings, FinetuneSettings) else None
    if rule.parameters is not None and not theirs and not (method == "frozen" and name == "learning_rate"):
        most = rate
        rate *= min(1.0, math.sqrt(rule.parameters / parameters))
        if name == "learning_rate" and method is not None and default_registry().method(method).spec.adapts:
            rate = min(most, max(_ADAPTERS * rate, _ADAPTERS_LEAST))
    return rate * {"root": math.sqrt(batch), "linear": batch, "fixed": 1.0}[rule.batch]


def _by_sgd(optimizer: Any) -> bool:
    return str(optimizer) == "sgd"
