"""What the autoencoders share: by the maps of its encoder, or its code alone, each is a backbone."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo


class Staged(nn.Module):
    """An autoencoder as a backbone. A model gives `maps`, `encode` and `decode`, and sets `feature_info` first.

    The head sees the last map averaged over the cells of a `grid` of so many rows and columns: where something lies
    tells much of what it is, and reconstruction has kept it.
    """

    feature_info: list[zoo.FeatureInfo]
    num_features: int
    num_classes: int
    grid: tuple[int, int] = (1, 1)
    head: nn.Module

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return the map of every stage, finest first."""
        raise NotImplementedError

    def encode(self, images: Tensor) -> Tensor:
        """Return codes in the shape that `decode` takes."""
        raise NotImplementedError

    def decode(self, code: Tensor) -> Tensor:
        """Return images in [0, 1]."""
        raise NotImplementedError

    def embed(self, images: Tensor) -> Tensor:
        return self.encode(images).flatten(1)

    def reconstruct(self, images: Tensor) -> Tensor:
        return self.decode(self.encode(images))

    def interpolate(self, first: Tensor, second: Tensor, count: int = 8) -> Tensor:
        """Return what lies between two batches of images: (count, batch, channels, height, width), ends included."""
        before, after = self.encode(first), self.encode(second)
        shares = torch.linspace(0, 1, count, device=before.device, dtype=before.dtype)
        return torch.stack([self.decode(before.lerp(after, share)) for share in shares])

    def forward_features(self, x: Tensor) -> Tensor:
        return self.maps(x)[-1]

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        pooled = F.adaptive_avg_pool2d(x, self.grid).flatten(1)
        logits: Tensor = pooled if pre_logits else self.head(pooled)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    def forward_intermediates(
        self, x: Tensor, indices: int | list[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        maps = self.maps(x)
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

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Do nothing, unless a model has activations worth saving."""


def grid_of(shape: tuple[int, int, int], pool_size: int) -> tuple[int, int]:
    """Return the grid that a map (channels, height, width) is averaged over: `pool_size` a side, or what it has."""
    return min(pool_size, shape[1]), min(pool_size, shape[2])


def height_and_width(image_size: int | list[int]) -> tuple[int, int]:
    """Return an argument `image_size` as two numbers."""
    if isinstance(image_size, int):
        return image_size, image_size
    height, width = image_size
    return height, width


def check_sizes(**sizes: int | list[int]) -> None:
    """Raise ValueError for a size below one."""
    for name, value in sizes.items():
        if min([value] if isinstance(value, int) else value, default=0) < 1:
            raise ValueError(f"{name} must be 1 or more, not {value}")
