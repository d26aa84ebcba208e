"""Choose what is drawn."""

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.engine.recipe import Batch


def spread_samples(batches: Sequence[Batch], count: int) -> tuple[Batch, Tensor]:
    """Return up to `count` samples from all over the batches as one batch, and their places in the row of all samples.

    Neighbours are often alike, and files of a class lie together.
    """
    rows, places = spread_rows(batches, count)
    return {
        name: torch.cat([batch[name][some] for batch, some in zip(batches, rows, strict=True)]) for name in batches[0]
    }, places


def spread_rows(batches: Sequence[Batch], count: int) -> tuple[list[Tensor], Tensor]:
    """Return the rows of each batch that `spread_samples` takes, for batches of several lengths, and their places."""
    sizes = [len(next(iter(batch.values()))) for batch in batches]
    total = sum(sizes)
    count = min(count, total)
    places = torch.tensor([place * (total - 1) // max(1, count - 1) for place in range(count)])
    rows, start = [], 0
    for size in sizes:
        rows.append(places[(places >= start) & (places < start + size)] - start)
        start += size
    return rows, places
