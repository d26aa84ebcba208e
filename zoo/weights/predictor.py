"""Make what a task says of single items, of weights that were finetuned for it."""

import inspect
import logging
from typing import Any

from zoo.errors import UsageError
from zoo.registry.loading import load_named
from zoo.registry.registry import Offer, default_registry
from zoo.specs.records import TaskSpec
from zoo.weights.description import WeightsDescription

_log = logging.getLogger("zoo")


def task_predictor(model: Any, description: WeightsDescription, inputs: Any) -> Any:
    """Return the predictor that the weights' task names, made with their model, labels and inputs.

    Raise UsageError for weights whose task says nothing of single items.
    """
    offer = default_registry().known_task(description.task)
    if offer is None or offer.spec.predictor is None or (offer.spec.needs_labels and not description.labels):
        raise UsageError(
            f"{description.architecture!r} for {description.task} makes no predictions; finetune it for a task first"
        )
    return make_predictor(offer, model, description.labels, inputs)


def make_predictor(offer: Offer[TaskSpec], model: Any, labels: tuple[str, ...], inputs: Any) -> Any:
    """Make what a task says of single items. One that takes no inputs yet is called without them, with a warning."""
    target = load_named(offer, "predictor")
    if len(inspect.signature(target).parameters) == 2:
        _log.warning(
            "predictor %r of %s takes (model, labels); from the next release on it gets (model, labels, inputs)",
            offer.spec.predictor,
            offer.plugin.distribution,
        )
        return target(model, labels)
    return target(model, labels, inputs)
