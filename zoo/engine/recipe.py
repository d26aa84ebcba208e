"""What the loop asks of a recipe. No base class: a class with these methods is a recipe."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

Batch = dict[str, Tensor]
"""Tensors of one batch, on the device.

`images` are floats in [0, 1] of shape (batch, channels, height, width), `labels` int64 of shape (batch,).
"""


@dataclass(frozen=True)
class Loss:
    """One scalar to minimise by one optimizer, with further figures to log (tensors: no step waits for them)."""

    optimizer: str
    value: Tensor
    figures: Mapping[str, Tensor] = field(default_factory=dict)


class Recipe(Protocol):
    """How to train a model.

    Made by `target(settings, model, classes)`; `classes` are label names, or () without labels. The model
    given to it is already on its device.
    """

    def modules(self) -> Mapping[str, nn.Module]:
        """Return everything whose state a checkpoint must hold, by name."""
        ...

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """Return the optimizers by name, made once. A group's `lr` is its peak; the loop schedules it."""
        ...

    def step(self, batch: Batch, generator: torch.Generator) -> Iterator[Loss]:
        """Yield one loss for each optimizer step. The loop steps that optimizer before it asks for the next loss.

        `generator` is seeded for this step; every random draw of the step comes from it.
        """
        ...

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the scores over the batches, the spec's `score` among them."""
        ...

    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        """Write pictures of what the model does on these batches; return their paths."""
        ...

    def export(self) -> nn.Module:
        """Return the model to publish."""
        ...


class Batches(Protocol):
    """An endless supply of batches in an order that is a function of (seed, epoch, position) alone."""

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        ...

    @property
    def num_samples(self) -> int:
        """Return the number of samples in an epoch."""
        ...

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch from position `start` on."""
        ...
