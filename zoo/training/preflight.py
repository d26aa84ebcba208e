"""Look before the first step for what would fail after the last one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from zoo.engine.recipe import Batch
from zoo.engine.stepper import Stepper
from zoo.errors import PluginError
from zoo.specs.networks import Network
from zoo.training.job import TrainingJob


def check_recipe(job: TrainingJob, stepper: Stepper, batch: Batch) -> None:
    """Score one batch, leaving no trace, so that what scores need, and the score that decides, are there.

    Raise PluginError for a recipe that does not give its score, or whose head is of another size than the classes.
    """
    _check_head(job, stepper)
    with torch.random.fork_rng(), _buffers_kept(stepper), stepper.exported():
        scores = stepper.recipe.evaluate([batch])
    spec = job.recipe.spec
    wrong = scores if not isinstance(scores, dict) else {k: v for k, v in scores.items() if not isinstance(v, float)}
    if wrong or spec.score not in scores:
        gives = f"gives {wrong!r}" if wrong else f"gives no {spec.score!r}, but {', '.join(scores) or 'nothing'}"
        raise PluginError(
            f"recipe {spec.name!r} of {job.recipe.plugin.distribution} {job.recipe.plugin.version} {gives}; its "
            f"evaluate must return floats by name, and among them the score of its spec, {spec.score!r}"
        )


def _check_head(job: TrainingJob, stepper: Stepper) -> None:
    """Raise PluginError where classes are learnt and no head of the recipe's modules has as many."""
    classes, spec = len(job.classes), job.recipe.spec
    if not classes or not job.learns_labels:
        return
    sizes = [_head(module) for module in stepper.modules.values()]
    known = [size for size in sizes if size is not None]
    if known and classes not in known:
        raise PluginError(
            f"recipe {spec.name!r} of {job.recipe.plugin.distribution} {job.recipe.plugin.version} trains a head of "
            f"{max(known)} outputs on {classes} classes; it must call model.reset_classifier(len(classes))"
        )


def _head(module: Any) -> int | None:
    backbone = module.backbone if isinstance(module, Network) else module
    found = getattr(module, "num_classes", getattr(backbone, "num_classes", None))
    return found if isinstance(found, int) else None


@contextmanager
def _buffers_kept(stepper: Stepper) -> Iterator[None]:
    """Put buffers back after the block: recipes keep there what they have seen."""
    buffers = [buffer for module in stepper.modules.values() for buffer in module.buffers()]
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in zip(buffers, before, strict=True):
                buffer.copy_(value)
