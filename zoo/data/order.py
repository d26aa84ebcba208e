"""Which samples a batch holds: a function of (seed, epoch, position) alone, shared by processes."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import torch
from torch import Tensor

from zoo.errors import UsageError
from zoo.seeds import generator

_POOL = 32
"""How many batches are sorted by length together."""


class BatchOptions(TypedDict):
    """How samples become batches: the arguments of SampleOrder that everything which gives out batches takes."""

    batch_size: int
    seed: int
    shuffle: bool
    drop_last: bool
    rank: NotRequired[int]
    world_size: NotRequired[int]
    micro_batches: NotRequired[int]


class SampleOrder:
    """The batches of an epoch as places of samples. `batch_size` counts the samples of all processes.

    Each of `world_size` processes takes its own share of every batch, which falls into `micro_batches`; with
    `drop_last` all are of equal size.
    """

    def __init__(
        self,
        count: int,
        *,
        batch_size: int,
        seed: int,
        shuffle: bool,
        drop_last: bool,
        rank: int = 0,
        world_size: int = 1,
        micro_batches: int = 1,
    ) -> None:
        parts = world_size * micro_batches
        self.batch_size = min(batch_size, count) // parts * parts
        if self.batch_size == 0:
            raise UsageError(f"{count} samples cannot be split into {parts} micro-batches; set fewer")
        self.num_samples = count // self.batch_size * self.batch_size if drop_last else count
        self._count = count
        self._seed = seed
        self._shuffle = shuffle
        self._rank = rank
        self._world_size = world_size

    def __len__(self) -> int:
        return -(-self.num_samples // self.batch_size)

    def indices(self, epoch: int) -> Tensor:
        """Return the places of all samples in the order of this epoch."""
        if not self._shuffle:
            return torch.arange(self._count)
        return torch.randperm(self._count, generator=generator(self._seed, "order", epoch))

    def shares(self, start: int) -> Iterator[slice]:
        """Yield which part of `places` is this process's share of each batch, from position `start` on."""
        for position in range(start, len(self)):
            begin = position * self.batch_size
            size = min(self.batch_size, self.num_samples - begin)
            first, last = (begin + size * rank // self._world_size for rank in (self._rank, self._rank + 1))
            yield slice(first, last)


def bucketed(indices: Tensor, lengths: Tensor, *, order: SampleOrder, seed: int, epoch: int) -> Tensor:
    """Return shuffled places so that samples of one batch are about as long: a function of (seed, epoch) too.

    Each pool of batches is sorted by length, and its batches are shuffled.
    """
    size = order.batch_size
    shuffled = generator(seed, "buckets", epoch)
    parts = []
    for pool in torch.split(indices[: order.num_samples], size * _POOL):
        by_length = pool[lengths[pool].argsort(stable=True)]
        batches = torch.split(by_length, size)
        parts += [batches[place] for place in torch.randperm(len(batches), generator=shuffled).tolist()]
    # a last batch that is not full has to stay the last
    parts.sort(key=lambda part: len(part) < size)
    return torch.cat([*parts, indices[order.num_samples :]])
