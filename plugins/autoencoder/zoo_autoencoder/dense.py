"""The textbook autoencoder (Hinton and Salakhutdinov, 2006): linear layers, ReLU inside, sigmoid at the end."""

import math
from typing import Any

from torch import Tensor, nn

import zoo
from zoo_autoencoder.staged import FromLogits, height_and_width


class DenseAutoencoder(FromLogits):
    """Encode pictures through `hidden_sizes` to `code_size` numbers, and decode them the same way back."""

    def __init__(
        self,
        *,
        image_size: int | list[int] = 28,
        channels: int = 1,
        hidden_sizes: list[int] | None = None,
        code_size: int = 64,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        height, width = height_and_width(image_size)
        zoo.check_sizes(
            image_size=[height, width], channels=channels, code_size=code_size, hidden_sizes=hidden_sizes or 1
        )
        self.shape = (channels, height, width)
        sizes = [math.prod(self.shape), *(hidden_sizes or []), code_size]
        self.encoder = dense_layers(sizes)
        self.decoder = dense_decoder(sizes[::-1])
        self.num_features = code_size
        self.feature_info = [zoo.FeatureInfo(code_size, max(height, width), "encoder")]
        self.reset_classifier(num_classes)

    def encode(self, images: Tensor) -> Tensor:
        code: Tensor = self.encoder(images.flatten(1))
        return code

    def decode_logits(self, code: Tensor) -> Tensor:
        logits: Tensor = self.decoder(code)
        return logits.reshape(-1, *self.shape)

    def maps(self, x: Tensor) -> list[Tensor]:
        return [self.encode(x)[:, :, None, None]]

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^encoder\.0\.", "blocks": r"^encoder\.(\d+)"}


def dense_layers(sizes: list[int]) -> nn.Sequential:
    """Return linear layers from each size to the next, each with a ReLU."""
    return nn.Sequential(*(_layer(a, b) for a, b in zip(sizes, sizes[1:], strict=False)))


def dense_decoder(sizes: list[int]) -> nn.Sequential:
    """Return linear layers from each size to the next, with a ReLU after each but the last."""
    return nn.Sequential(
        *(_layer(a, b) for a, b in zip(sizes[:-2], sizes[1:-1], strict=True)), nn.Linear(sizes[-2], sizes[-1])
    )


def _layer(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU())
