"""The nearest neighbours of vectors, by the cosine of the angle between them."""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

_AT_ONCE = 65_536


def nearest(parts: Callable[[], Iterable[Tensor]], queries: int, count: int) -> list[list[tuple[int, float]]]:
    """Return for each of the first rows the places of the rows nearest to it, and their cosines; none is its own.

    `parts` gives all vectors, a part of which is in memory at a time, and is asked twice.
    """
    requested = torch.empty(0)
    for part in parts():
        requested = torch.cat([requested.view(-1, part.shape[1]), part[: queries - len(requested)].float()])
        if len(requested) == queries:
            break
    requested = F.normalize(requested, dim=-1)
    cosines = torch.full((len(requested), 0), -torch.inf)
    indices = torch.empty(len(requested), 0, dtype=torch.long)
    start = 0
    for part in parts():
        for block in torch.split(part, _AT_ONCE):
            near = requested @ F.normalize(block.float(), dim=-1).T
            rows = torch.arange(start, start + len(block))
            near.masked_fill_(rows == torch.arange(len(requested))[:, None], -torch.inf)
            cosines = torch.cat([cosines, near], 1)
            indices = torch.cat([indices, rows.expand(len(requested), -1)], 1)
            cosines, best = cosines.topk(min(count, cosines.shape[1]), sorted=True)
            indices = indices.gather(1, best)
            start += len(block)
    return [
        [(place, cosine) for place, cosine in zip(row, found, strict=True) if cosine > -torch.inf]
        for row, found in zip(indices.tolist(), cosines.tolist(), strict=True)
    ]
