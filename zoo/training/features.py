"""What the classifier of weights would get of labelled samples, and what the layers before it make of them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zoo.engine.distribution import join
from zoo.engine.prepare import place
from zoo.errors import UsageError
from zoo.training.job import TrainingJob
from zoo.training.named_recipe import make_recipe
from zoo.training.run import fresh_model

HEAD = "head"


@dataclass(frozen=True)
class Features:
    """Vectors of labelled samples by depth, the classifier's input last, under "head".

    `vectors` are (samples, features), float32 on the CPU; `labels` (samples,) with the places of `classes`, or
    (samples, classes) of 0 and 1 where a sample may have several. `data` is the sha256 over all contents, from which
    `seed` drew the samples. `parameters` and `seconds` are what computing them took.
    """

    vectors: dict[str, Tensor]
    labels: Tensor
    classes: tuple[str, ...]
    data: str
    parameters: int
    seconds: float


def labelled_features(job: TrainingJob, samples: int, seed: int) -> Features:
    """Return the features of up to so many training samples, as many of each class as can be.

    Raise UsageError for a task whose recipe has no classifier.
    """
    dataset = job.dataset
    if len(dataset.splits["train"]) > samples:
        dataset = dataset.subset(samples, seed)
    with join(job.run.device, job.run.sharding) as distribution, torch.random.fork_rng():
        network = place(fresh_model(job), job.settings, distribution)
        recipe: Any = make_recipe(job.recipe, job.settings, network, job.classes, job.inputs)
        answers: Callable[..., Any] | None = getattr(recipe, "answers", None)
        if answers is None:
            raise UsageError(f"task {job.task!r} has no classifier whose input could be looked at")
        split = dataset.splits["train"]
        batches = split.batches(
            batch_size=split.evaluation_batch_size(job.settings.batch_size),
            seed=seed,
            shuffle=False,
            drop_last=False,
            device=distribution.device,
        )
        start = time.perf_counter()
        with _noted(recipe.model) as found:
            _, labels = answers(batches.epoch(0))
        seconds = time.perf_counter() - start
    vectors = {depth: torch.cat(parts) for depth, parts in found.items()}
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Features(vectors, labels, job.classes, job.dataset.fingerprint, parameters, seconds)


@contextmanager
def _noted(model: Any) -> Iterator[dict[str, list[Tensor]]]:
    """Note for the length of the block what the stages of a backbone give out, and what its classifier gets."""
    found: dict[str, list[Tensor]] = {}

    def note(depth: str, features: Any) -> None:
        if isinstance(features, Tensor) and features.ndim >= 2:
            found.setdefault(depth, []).append(_pooled(features).float().cpu())

    stages: Sequence[Any] = getattr(model, "feature_info", ())
    handles = [
        model.get_submodule(stage.module).register_forward_hook(
            lambda module, inputs, output, depth=stage.module: note(depth, output)
        )
        for stage in stages
    ]
    classifier: nn.Module = model.get_classifier()
    handles.append(classifier.register_forward_pre_hook(lambda module, inputs: note(HEAD, inputs[0])))
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _pooled(features: Tensor) -> Tensor:
    """Return one vector a sample: the mean over a map (batch, channels, height, width) or tokens (batch, tokens, …)."""
    if features.ndim == 3:
        return features.mean(1)
    return features.flatten(2).mean(2) if features.ndim > 3 else features
