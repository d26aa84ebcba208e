"""The variational autoencoder (Kingma and Welling, 2014): codes are normal distributions, near the standard one.

Convolutional as `conv_autoencoder`, or with `hidden_sizes` of linear layers, as in the paper. `encode` gives the mean.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

import zoo
from zoo_autoencoder.convolutional import ENCODER_GROUPS, Decoder, Encoder, map_shape, stages_of, unfolding
from zoo_autoencoder.dense import dense_decoder, dense_layers
from zoo_autoencoder.staged import FromLogits, grid_of, height_and_width

_LARGEST = 10.0
"""A logarithm of a variance beyond which nothing is learnt any more, and exponentials overflow."""


class VariationalAutoencoder(FromLogits):
    """Encode pictures as means and variances of `code_size` numbers; decode numbers that are drawn from those."""

    def __init__(
        self,
        *,
        image_size: int | list[int] = 28,
        channels: int = 1,
        widths: list[int] | None = None,
        hidden_sizes: list[int] | None = None,
        code_size: int = 64,
        pool_size: int = 4,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        if widths and hidden_sizes:
            raise ValueError("give widths of convolutions or hidden_sizes of linear layers, not both")
        height, width = self.image_size = height_and_width(image_size)
        zoo.check_sizes(image_size=[height, width], channels=channels, code_size=code_size, pool_size=pool_size)
        zoo.check_sizes(widths=widths or 1, hidden_sizes=hidden_sizes or 1)
        self.code_size = code_size
        self.channels = channels
        if hidden_sizes:
            pixels = channels * height * width
            self.encoder: nn.Module = dense_layers([pixels, *hidden_sizes])
            self.decoder: nn.Module = dense_decoder([code_size, *hidden_sizes[::-1], pixels])
            self.num_features = inputs = hidden_sizes[-1]
            self.feature_info = [zoo.FeatureInfo(hidden_sizes[-1], max(height, width), "encoder")]
        else:
            widths = widths or [32, 64, 128]
            shape = map_shape(self.image_size, widths)
            self.encoder = Encoder(channels, widths)
            self.decoder = Decoder(unfolding(code_size, shape), channels, widths)
            self.grid = grid_of(shape, pool_size)
            self.num_features, inputs = widths[-1] * math.prod(self.grid), math.prod(shape)
            self.feature_info = stages_of(widths)
        self.moments = nn.Linear(inputs, 2 * code_size)
        self.reset_classifier(num_classes)

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and logarithms of variances, (batch, code_size) each."""
        mean, log_variance = self.moments(self.forward_features(images).flatten(1)).chunk(2, 1)
        return mean, log_variance.clamp(-_LARGEST, _LARGEST)

    def encode(self, images: Tensor) -> Tensor:
        return self.posterior(images)[0]

    def decode_logits(self, code: Tensor) -> Tensor:
        height, width = self.image_size
        logits: Tensor = self.decoder(code)
        if logits.ndim == 2:
            return logits.view(-1, self.channels, height, width)
        return logits[:, :, :height, :width]

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Return new images in [0, 1], decoded from standard normal codes that the CPU's `generator` draws."""
        code = torch.randn(count, self.code_size, generator=generator, device="cpu")
        return self.decode(code.to(self.moments.weight))

    def maps(self, x: Tensor) -> list[Tensor]:
        if isinstance(self.encoder, Encoder):
            found: list[Tensor] = self.encoder(x)
            return found
        return [self.encoder(x.flatten(1))[:, :, None, None]]

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        if isinstance(self.encoder, Encoder):
            return ENCODER_GROUPS
        return {"stem": r"^encoder\.0\.", "blocks": r"^encoder\.(\d+)"}

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        if isinstance(self.encoder, Encoder):
            self.encoder.checkpointing = enable
