"""Batch norm over the processes of a run, on any device: torch's own SyncBatchNorm knows GPUs alone."""

from types import MethodType
from typing import Any, cast

import torch
import torch.distributed.nn.functional as distributed
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def synchronise_batch_norm(module: nn.Module) -> None:
    """Let the batch norms of a module normalize by the batch of all processes while they train, in place."""
    for part in module.modules():
        if isinstance(part, _BatchNorm):
            part.forward = MethodType(_normalised, part)  # type: ignore[method-assign]


def _summed(values: Tensor) -> Tensor:
    """Return the sum over all processes; gradients flow back to each."""
    return cast(Tensor, distributed.all_reduce(values))  # type: ignore[no-untyped-call]


def _normalised(norm: Any, x: Tensor) -> Tensor:
    if not norm.training:
        return type(norm).forward(norm, x)  # type: ignore[no-any-return]
    dims = [0, *range(2, x.ndim)]
    shape = [1, -1, *[1] * (x.ndim - 2)]
    values = x.float()
    sums = values.sum(dims)
    total, count = _summed(torch.stack([sums, torch.full_like(sums, x.numel() / x.shape[1])]))
    mean = total / count
    centred = values - mean.view(shape)
    variance = _summed(centred.square().sum(dims)) / count
    if norm.track_running_stats:
        with torch.no_grad():
            norm.num_batches_tracked += 1
            share = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
            norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
            unbiased = variance * count / (count - 1).clamp(min=1)
            norm.running_var.lerp_(unbiased.to(norm.running_var.dtype), share)
    out = centred * (variance + norm.eps).rsqrt().view(shape)
    if norm.affine:
        out = out * norm.weight.view(shape) + norm.bias.view(shape)
    return cast(Tensor, out.to(x.dtype))
