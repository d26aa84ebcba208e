"""TAESD (Ollin Boer Bohan, 2023): the tiny autoencoders that stand in for those of latent diffusion models.

Codes are maps at an eighth of the picture's size, scaled as the large models scale them. `latent_channels` and
`middle_blocks` tell the variants apart; the tensors have the author's names, whatever the variant. Pictures of any
size: maps are rounded up, and what is decoded is cropped.
"""

from typing import Any

from torch import Tensor, nn

import zoo
from zoo_autoencoder.staged import Staged

_WIDTH = 64
_STAGES = (1, 5, 9, 13)
"""The encoder's modules at whose end a stage does."""


class TinyAutoencoder(Staged):
    """Encode pictures to maps of `latent_channels`; with `middle_blocks` those at an eighth of the size see further."""

    def __init__(
        self, *, channels: int = 3, latent_channels: int = 4, middle_blocks: bool = False, num_classes: int = 0
    ) -> None:
        super().__init__()
        zoo.check_sizes(channels=channels, latent_channels=latent_channels)
        self.encoder = nn.Sequential(
            _convolution(channels, _WIDTH),
            Block(),
            *(layer for place in range(3) for layer in (_halving(), *_blocks(wide=middle_blocks and place == 2))),
            _convolution(_WIDTH, latent_channels),
        )
        self.decoder = nn.Sequential(
            Clamp(),
            _convolution(latent_channels, _WIDTH),
            nn.ReLU(),
            *(layer for place in range(3) for layer in (*_blocks(wide=middle_blocks and place == 0), *_doubling())),
            Block(),
            _convolution(_WIDTH, channels),
        )
        self.num_features = _WIDTH
        self.feature_info = [
            zoo.FeatureInfo(_WIDTH, 2**stage, f"encoder.{module}") for stage, module in enumerate(_STAGES)
        ]
        self.reset_classifier(num_classes)

    def encode(self, images: Tensor) -> Tensor:
        latents: Tensor = self.encoder[-1](self.forward_features(images))
        return latents

    def decode(self, code: Tensor) -> Tensor:
        pixels: Tensor = self.decoder(code)
        return pixels.clamp(0, 1)

    def reconstruct(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        return self.decode(self.encode(images))[:, :, :height, :width]

    def maps(self, x: Tensor) -> list[Tensor]:
        found = []
        for place, layer in enumerate(list(self.encoder)[:-1]):
            x = layer(x)
            if place in _STAGES:
                found.append(x)
        return found

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^encoder\.[01]\.", "blocks": r"^encoder\.(\d+)"}


class Block(nn.Module):
    """Three convolutions and what goes past them; with `wide` a look through four times as many channels before."""

    def __init__(self, *, wide: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            _convolution(_WIDTH, _WIDTH),
            nn.ReLU(),
            _convolution(_WIDTH, _WIDTH),
            nn.ReLU(),
            _convolution(_WIDTH, _WIDTH),
        )
        self.pool = _wider() if wide else None

    def forward(self, x: Tensor) -> Tensor:
        if self.pool is not None:
            x = x + self.pool(x)
        output: Tensor = (self.conv(x) + x).relu()
        return output


class Clamp(nn.Module):
    """Keep codes within 3 of nothing, smoothly."""

    def forward(self, x: Tensor) -> Tensor:
        return (x / 3).tanh() * 3


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)


def _blocks(*, wide: bool) -> list[nn.Module]:
    return [Block(wide=wide) for _ in range(3)]


def _halving() -> nn.Module:
    return nn.Conv2d(_WIDTH, _WIDTH, kernel_size=3, stride=2, padding=1, bias=False)


def _doubling() -> list[nn.Module]:
    return [nn.Upsample(scale_factor=2), nn.Conv2d(_WIDTH, _WIDTH, kernel_size=3, padding=1, bias=False)]


def _wider() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(_WIDTH, 4 * _WIDTH, kernel_size=1, bias=False),
        nn.GroupNorm(4, 4 * _WIDTH),
        nn.ReLU(),
        nn.Conv2d(4 * _WIDTH, _WIDTH, kernel_size=1, bias=False),
    )
