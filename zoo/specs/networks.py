"""What Zoo asks of a task's network, a backbone with something of its own on it. Protocols: nothing is inherited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor, nn
    from torch.optim import Optimizer


@runtime_checkable
class Network(Protocol):
    """Made by `network(backbone, num_classes, **arguments)`, which takes the backbone's own classifier away.

    `arguments` are the keyword arguments it was made with, JSON-able: config.json keeps them as `head`.
    """

    backbone: nn.Module
    num_classes: int
    arguments: dict[str, Any]


class FinetuneMethod(Protocol):
    """Made by `target(settings, network)` of a method's spec: what of a network learns, and how fast."""

    network: nn.Module

    @property
    def backbone(self) -> nn.Module:
        """The pretrained part; a network without a task's head is its own backbone."""
        ...

    def optimizer(self) -> Optimizer:
        """Make the optimizer of all that learns."""
        ...

    def train(self) -> None:
        """Set the training mode: what is kept as it is stays in eval mode."""
        ...

    def export(self) -> nn.Module:
        """Return the network to publish, in eval mode, with nothing beside it that loading would not know."""
        ...


class TextPredictor(Protocol):
    """Made by `predictor(model, labels, inputs)` for a model of text in eval mode: what it says of texts.

    `columns` head the table of `zoo predict`, and `row` fills a line of it.
    """

    columns: tuple[str, ...]

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None) -> list[dict[str, Any]]:
        """Return a JSON-able result for each text of a batch, or each pair of texts."""
        ...

    def row(self, result: dict[str, Any]) -> list[str]:
        """Return a result in short, by the columns."""
        ...


class Predictor(Protocol):
    """Made by `predictor(model, labels, inputs)` for a model in eval mode: what it predicts for images.

    `columns` head the table of `zoo predict`, and `row` fills a line of it.
    """

    columns: tuple[str, ...]

    def __call__(self, images: Tensor, sizes: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
        """Return a JSON-able result for each picture of a batch as the model takes it.

        `sizes` are the heights and widths of the pictures' files, in whose pixels places are given. Under "mask" a
        result may hold a uint8 array of that size, with the class of each pixel.
        """
        ...

    def row(self, result: dict[str, Any]) -> list[str]:
        """Return a result in short, by the columns."""
        ...

    def draw(self, picture: Image, result: dict[str, Any]) -> Image:
        """Return the picture with what was found drawn on it."""
        ...
