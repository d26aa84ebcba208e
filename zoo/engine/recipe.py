"""What the loop asks of a recipe. No base class: a class with these methods is a recipe."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from zoo.data.draws import Draws
from zoo.specs.renamed import renamed_arguments

Batch = dict[str, Tensor]
"""Tensors of one batch, on the device, a row for each sample.

`images` are floats in [0, 1] of shape (batch, channels, height, width), `labels` int64 of shape (batch,), and `index`
int64 of shape (batch,) says which samples of the split these are. Texts are `input_ids` and `attention_mask`, int64 of
shape (batch, tokens), with `targets`, the tokens that follow, `labels`, or `target_ids` with `target_mask`.
"""


@renamed_arguments(figures="metrics")
@dataclass(frozen=True)
class Loss:
    """One scalar to minimise by one optimizer, with further figures to log (tensors: no step waits for them).

    `value` is a mean over `count` things; None means over the samples of the batch. A text recipe gives the number of
    its tokens, so that micro-batches and processes weigh as they would in one large batch.
    """

    optimizer: str
    value: Tensor
    count: Tensor | None = None
    metrics: Mapping[str, Tensor] = field(default_factory=dict)


class Recipe(Protocol):
    """How to train a model.

    Made by `target(settings, model, classes, preprocessing)`. `classes` are label names, or () without labels; what
    the model takes are pictures that `zoo.normalize(images, preprocessing)` gives; for text the last argument is a
    `zoo.TextInputs`, with the tokenizer. The model is already on its device.
    """

    def modules(self) -> Mapping[str, nn.Module]:
        """Return everything whose state a checkpoint must hold, by name: all that is trained, and teachers too."""
        ...

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """Make the optimizers, by name. A group's `lr` is its peak; the loop schedules it, from the share `begins` of
        the training on, where the group has such a key.

        Called once, when the modules are where they are to stay: sharding gives them other parameters than they had
        when the recipe was made.
        """
        ...

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        """Yield one loss for each optimizer step. The loop steps that optimizer before it asks for the next loss.

        Every random number comes from `draws`, or from torch's global generator, which a checkpoint keeps. With
        accumulation the loop takes several micro-batches through here side by side, one yield of each after the other.
        What is computed with gradients must go into the loss that is yielded next; wrap the rest in `torch.no_grad()`.
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


@runtime_checkable
class EvaluatesEach(Protocol):
    """A recipe that also says what it scored of each sample; `zoo evaluate --out` asks for it."""

    def evaluate_each(self, batches: Iterable[Batch]) -> tuple[dict[str, float], Sequence[Mapping[str, Any]]]:
        """Return the scores that `evaluate` returns, and for each sample what is written as one line of JSON.

        That is what was predicted, and the `reference` it was scored by, in the order in which the batches have the
        samples. Its `index` in the split, and what it was made from, are added to that.
        """
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
