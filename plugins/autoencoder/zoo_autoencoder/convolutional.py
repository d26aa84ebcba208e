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


class ConvAutoencoder(nn.Module):
    """Encode pictures by one stage for each of `widths` into `code_size` numbers, and decode them the same way back."""

    def __init__(
        self,
        *,
        image_size: int | list[int] = 28,
        channels: int = 1,
        widths: list[int] | None = None,
        code_size: int = 64,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        widths = widths or [32, 64, 128]
        height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
        if min(height, width, channels, code_size, *widths) < 1:
            raise ValueError("image_size, channels, widths and code_size must be 1 or more")
        reduction = 2 ** len(widths)
        self.image_size = (height, width)
        self.encoder = Encoder(channels, widths)
        self.map_shape = (widths[-1], math.ceil(height / reduction), math.ceil(width / reduction))
        self.code = nn.Linear(math.prod(self.map_shape), code_size)
        self.decoder = Decoder(channels, widths, self.map_shape, code_size)
        self.num_features = widths[-1]
        self.feature_info = [
            zoo.FeatureInfo(width, 2 ** (stage + 1), f"encoder.stages.{stage}") for stage, width in enumerate(widths)
        ]
        self.reset_classifier(num_classes)

    def embed(self, images: Tensor) -> Tensor:
        code: Tensor = self.code(self.forward_features(images).flatten(1))
        return code

    def reconstruct_logits(self, images: Tensor) -> Tensor:
        height, width = self.image_size
        logits: Tensor = self.decoder(self.embed(images))
        return logits[:, :, :height, :width]

    def reconstruct(self, images: Tensor) -> Tensor:
        return self.reconstruct_logits(images).sigmoid()

    def forward_features(self, x: Tensor) -> Tensor:
        features: Tensor = self.encoder(x)[-1]
        return features

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        pooled = x.mean((2, 3))
        logits: Tensor = pooled if pre_logits else self.head(pooled)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    def forward_intermediates(
        self, x: Tensor, indices: int | list[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        maps = self.encoder(x)
        if indices is None:
            chosen = maps
        else:
            chosen = maps[-indices:] if isinstance(indices, int) else [maps[index] for index in indices]
        return chosen if intermediates_only else (maps[-1], chosen)

    def get_classifier(self) -> nn.Module:
        return self.head

    def reset_classifier(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.head = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def no_weight_decay(self) -> set[str]:
        return set()

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {
            "stem": r"^encoder\.stages\.0\.",
            "blocks": [(r"^encoder\.stages\.(\d+)", None), (r"^code|^decoder", None)],
        }

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        self.encoder.checkpointing = enable


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
    """Return logits of pictures from codes."""

    def __init__(self, channels: int, widths: list[int], map_shape: tuple[int, int, int], code_size: int) -> None:
        super().__init__()
        self.map_shape = map_shape
        back = widths[::-1]
        self.code = nn.Sequential(nn.Linear(code_size, math.prod(map_shape)), nn.ReLU())
        self.stages = nn.ModuleList(Convolution(before, after) for before, after in zip(back, back[1:], strict=False))
        self.pixels = nn.Sequential(nn.Conv2d(widths[0], 4 * channels, kernel_size=3, padding=1), nn.PixelShuffle(2))

    def forward(self, code: Tensor) -> Tensor:
        x = self.code(code).unflatten(1, self.map_shape)
        for stage in self.stages:
            x = stage(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        pixels: Tensor = self.pixels(x)
        return pixels


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
