"""A convolutional autoencoder with a feature pyramid.

Differs from the textbook: each stage halves the picture by a strided convolution and refines it by a residual block
with batch norm; a linear layer squeezes the last map into the code; the decoder mirrors it with nearest-neighbour
upsampling, and makes the pixels by a sub-pixel convolution (Shi et al., 2016), which spares work at full size. Any
picture size: maps are rounded up, and the output is cropped.
"""

import math
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import zoo
from zoo_autoencoder.staged import FromLogits, grid_of, height_and_width


class Convolutional(FromLogits):
    """An autoencoder with the encoder and the decoder of this module."""

    image_size: tuple[int, int]
    encoder: "Encoder"
    decoder: "Decoder"

    def decode_logits(self, code: Tensor) -> Tensor:
        height, width = self.image_size
        logits: Tensor = self.decoder(code)
        return logits[:, :, :height, :width]

    def maps(self, x: Tensor) -> list[Tensor]:
        found: list[Tensor] = self.encoder(x)
        return found

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return ENCODER_GROUPS

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        self.encoder.checkpointing = enable


class ConvAutoencoder(Convolutional):
    """Encode pictures by one stage for each of `widths` into `code_size` numbers, and decode them the same way back."""

    def __init__(
        self,
        *,
        image_size: int | list[int] = 28,
        channels: int = 1,
        widths: list[int] | None = None,
        code_size: int = 64,
        pool_size: int = 4,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        widths = widths or [32, 64, 128]
        self.image_size = height_and_width(image_size)
        zoo.check_sizes(image_size=list(self.image_size), channels=channels, widths=widths, code_size=code_size)
        zoo.check_sizes(pool_size=pool_size)
        self.encoder = Encoder(channels, widths)
        self.map_shape = map_shape(self.image_size, widths)
        self.code = nn.Linear(math.prod(self.map_shape), code_size)
        self.decoder = Decoder(unfolding(code_size, self.map_shape), channels, widths)
        self.grid = grid_of(self.map_shape, pool_size)
        self.num_features = widths[-1] * math.prod(self.grid)
        self.feature_info = stages_of(widths)
        self.reset_classifier(num_classes)

    def encode(self, images: Tensor) -> Tensor:
        code: Tensor = self.code(self.forward_features(images).flatten(1))
        return code


ENCODER_GROUPS: dict[str, Any] = {
    "stem": r"^encoder\.stages\.0\.",
    "blocks": r"^encoder\.stages\.(\d+)",
}
"""What `group_matcher` says of the models that have this encoder."""


def map_shape(image_size: tuple[int, int], widths: list[int]) -> tuple[int, int, int]:
    """Return channels, height and width of the encoder's last map."""
    reduction = 2 ** len(widths)
    return (widths[-1], math.ceil(image_size[0] / reduction), math.ceil(image_size[1] / reduction))


def stages_of(widths: list[int]) -> list[zoo.FeatureInfo]:
    """Return what the encoder's stages are."""
    return [zoo.FeatureInfo(width, 2 ** (stage + 1), f"encoder.stages.{stage}") for stage, width in enumerate(widths)]


class Encoder(nn.Module):
    """Return the map of every stage, each half the size of the one before."""

    def __init__(self, channels: int, widths: list[int]) -> None:
        super().__init__()
        self.checkpointing = False
        inputs = [channels, *widths]
        self.stages = nn.ModuleList(
            nn.Sequential(Convolution(before, after, stride=2), Residual(after))
            for before, after in zip(inputs, widths, strict=False)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for stage in self.stages:
            x = checkpoint(stage, x, use_reentrant=False) if self.checkpointing and self.training else stage(x)
            maps.append(x)
        return maps


class Decoder(nn.Module):
    """Return logits of pictures from codes, of which `code` makes a map as the encoder's last one is."""

    def __init__(self, code: nn.Module, channels: int, widths: list[int]) -> None:
        super().__init__()
        back = widths[::-1]
        self.code = code
        self.stages = nn.ModuleList(Convolution(before, after) for before, after in zip(back, back[1:], strict=False))
        self.pixels = nn.Sequential(nn.Conv2d(widths[0], 4 * channels, kernel_size=3, padding=1), nn.PixelShuffle(2))

    def forward(self, code: Tensor) -> Tensor:
        x = self.code(code)
        for stage in self.stages:
            x = stage(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        pixels: Tensor = self.pixels(x)
        return pixels


def unfolding(code_size: int, shape: tuple[int, int, int]) -> nn.Module:
    """Return what makes a map of a code of numbers."""
    return nn.Sequential(nn.Linear(code_size, math.prod(shape)), nn.ReLU(), nn.Unflatten(1, shape))


class Convolution(nn.Sequential):
    """A 3x3 convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """Add what one more convolution sees."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = Convolution(width, width)

    def forward(self, x: Tensor) -> Tensor:
        refined: Tensor = x + self.body(x)
        return refined
