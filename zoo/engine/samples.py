"""Choose what is drawn."""

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.engine.recipe import Batch


def spread_samples(batches: Sequence[Batch], count: int) -> tuple[Batch, Tensor]:
    """Return up to `count` samples from all over the batches as one batch, and their places in the row of all samples.

    Neighbours are often alike, and files of a class lie together.
    """
    starts = [0]
    for batch in batches:
        starts.append(starts[-1] + len(next(iter(batch.values()))))
    total = starts[-1]
    count = min(count, total)
    places = [place * (total - 1) // max(1, count - 1) for place in range(count)]
    homes = [sum(place >= start for start in starts[1:]) for place in places]
    rows = [(batches[home], place - starts[home]) for home, place in zip(homes, places, strict=True)]
    return {name: torch.stack([batch[name][row] for batch, row in rows]) for name in batches[0]}, torch.tensor(places)
