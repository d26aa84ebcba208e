"""Batches gathered as tensors, in an order that is a function of (seed, epoch, position) alone."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from zoo.data.dataset import Images, Labels
from zoo.errors import UsageError
from zoo.seeds import generator

_FLOATS_UP_TO = 512 * 1024 * 1024


class TensorBatches:
    """Keep a split as one tensor on the device and gather each batch by one indexing operation.

    Batches have `images`, floats in [0, 1], `labels` where there are any, and `index`, the places of the samples in the
    split. `batch_size` counts the samples of all processes; each of `world_size` gathers its own share of every batch,
    which falls into `micro_batches` of equal size.
    A set of at most 512 MB as floats is kept as floats; a larger one stays uint8 and is converted batch by batch.
    """

    def __init__(
        self,
        images: Images,
        labels: Labels | None,
        *,
        batch_size: int,
        seed: int,
        shuffle: bool,
        drop_last: bool,
        device: torch.device,
        rank: int = 0,
        world_size: int = 1,
        micro_batches: int = 1,
    ) -> None:
        parts = world_size * micro_batches
        self.batch_size = min(batch_size, len(images)) // parts * parts
        if self.batch_size == 0:
            raise UsageError(f"{len(images)} samples cannot be dealt out to {parts} micro-batches; ask for fewer")
        self._share = (rank * self.batch_size // world_size, self.batch_size // world_size)
        self.seed = seed
        self.shuffle = shuffle
        self.drop_last = drop_last
        self._count = len(images)
        self.num_samples = self._count // self.batch_size * self.batch_size if drop_last else self._count
        bytes_on_device = _tensor(images).to(device)
        fits = images.size * 4 <= _FLOATS_UP_TO
        self._images = bytes_on_device.float().div_(255) if fits else bytes_on_device
        self._places = torch.arange(self._count, device=device)
        self._labels = None if labels is None else _tensor(labels).to(device)

    def __len__(self) -> int:
        return self.num_samples // self.batch_size if self.drop_last else math.ceil(self.num_samples / self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of an epoch from position `start` on."""
        order = self._order(epoch)
        first, length = self._share
        for position in range(start, len(self)):
            begin = position * self.batch_size + first
            yield self._gather(order[begin : begin + length])

    def _order(self, epoch: int) -> Tensor:
        if not self.shuffle:
            return self._places
        order = torch.randperm(self._count, generator=generator(self.seed, "order", epoch))
        return order.to(self._images.device)

    def _gather(self, index: Tensor) -> dict[str, Tensor]:
        """Gather samples as tensors of their own: what a recipe does in place must not reach the data set."""
        batch = {"images": self._images[index], "index": index}
        if not batch["images"].is_floating_point():
            batch["images"] = batch["images"].float().div_(255)
        if self._labels is not None:
            batch["labels"] = self._labels[index]
        return batch


def _tensor(array: np.ndarray) -> Tensor:
    """Copy an array, which may be a read-only memory map, into a tensor."""
    return torch.from_numpy(np.array(array))
