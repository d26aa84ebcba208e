"""What the autoencoders share: by the maps of its encoder, or its code alone, each is a backbone."""

import torch
import torch.nn.functional as F
from torch import Tensor

import zoo


class Staged(zoo.ImageBackboneModule):
    """An autoencoder as a backbone. A model gives `maps`, `encode` and `decode`, and sets `feature_info` first.

    The head sees the last map averaged over the cells of a `grid` of so many rows and columns: where something lies
    tells much of what it is, and reconstruction has kept it.
    """

    feature_info: list[zoo.FeatureInfo]
    grid: tuple[int, int] = (1, 1)

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

    def intermediates(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps = self.maps(x)
        return maps[-1], maps

    def pool(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(x, self.grid).flatten(1)


class FromLogits(Staged):
    """An autoencoder whose decoder gives logits of pixels. A model gives `decode_logits` in the place of `decode`."""

    def decode_logits(self, code: Tensor) -> Tensor:
        """Return logits of images."""
        raise NotImplementedError

    def decode(self, code: Tensor) -> Tensor:
        return self.decode_logits(code).sigmoid()

    def reconstruct_logits(self, images: Tensor) -> Tensor:
        return self.decode_logits(self.encode(images))


def grid_of(shape: tuple[int, int, int], pool_size: int) -> tuple[int, int]:
    """Return the grid that a map (channels, height, width) is averaged over: `pool_size` a side, or what it has."""
    return min(pool_size, shape[1]), min(pool_size, shape[2])


def height_and_width(image_size: int | list[int]) -> tuple[int, int]:
    """Return an argument `image_size` as two numbers."""
    if isinstance(image_size, int):
        return image_size, image_size
    height, width = image_size
    return height, width
