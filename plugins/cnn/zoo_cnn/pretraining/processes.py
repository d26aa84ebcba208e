"""What the processes of a run give each other within a step. A process alone gets back what it gave."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def gathered(rows: Tensor) -> tuple[Tensor, int]:
    """Return the rows of all processes, as many from each, and where one's own begin.

    Gradients flow back to the rows of every process.
    """
    if not _many():
        return rows, 0
    everything: Tensor = _Gather.apply(rows)  # type: ignore[no-untyped-call]  # torch's annotation lacks a type
    return everything, dist.get_rank() * len(rows)


@torch.no_grad()
def averaged(values: Tensor) -> Tensor:
    """Return the mean over the processes."""
    if not _many():
        return values
    total = values.clone()
    dist.all_reduce(total)
    return total / dist.get_world_size()


def _many() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        # What each process's loss asks of each row, added up; the mean over processes is taken of the parameters
        total = gradient.contiguous()
        dist.all_reduce(total)
        own = len(total) // dist.get_world_size()
        return total.narrow(0, dist.get_rank() * own, own)
