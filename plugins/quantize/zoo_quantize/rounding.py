"""Matrices and kernels in 8 bits: each row, an output of a layer, by its own scale, symmetrically around zero."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

import zoo

_LARGEST = 127


def fits(tensor: Tensor) -> bool:
    """Tell whether a tensor has rows that 8 bits save something of: vectors, and tables of one row, stay in float."""
    return tensor.is_floating_point() and tensor.ndim > 1 and len(tensor) > 1 and tensor[0].numel() > 4


def rounded(name: str, tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Return a tensor as int8, and the scale of each row. Raise UsageError for NaN and infinity."""
    rows = tensor.detach().float().flatten(1)
    scales = rows.abs().amax(1) / _LARGEST
    if not bool(scales.isfinite().all()):
        raise zoo.UsageError(f"{name} holds NaN or infinity, which 8 bits have no place for; train again")
    scales = torch.where(scales == 0, torch.ones_like(scales), scales)
    return (rows / scales[:, None]).round().to(torch.int8).view(tensor.shape), scales


def restored(values: Tensor, scales: Tensor) -> Tensor:
    """Return what 8 bits and scales stand for, in float32."""
    return values.float() * scales.view(-1, *[1] * (values.ndim - 1))


def by_error(tensors: Mapping[str, Tensor]) -> dict[str, float]:
    """Return how much of each tensor that fits gets lost, as a share of its norm, the most first."""
    lost = {}
    for name, tensor in tensors.items():
        if fits(tensor):
            change = restored(*rounded(name, tensor)) - tensor
            lost[name] = float(change.norm() / tensor.float().norm().clamp_min(1e-30))
    return dict(sorted(lost.items(), key=lambda item: -item[1]))


def quantized(tensors: Mapping[str, Tensor], kept: Iterable[str] = ()) -> tuple[dict[str, Tensor], list[str], Tensor]:
    """Return tensors, those that fit and are not `kept` as int8; their names, and all of their scales in that order."""
    names = sorted(name for name, tensor in tensors.items() if fits(tensor) and name not in set(kept))
    found = {name: rounded(name, tensors[name]) for name in names}
    scales = torch.cat([scales for _, scales in found.values()]) if found else torch.zeros(0)
    return {name: found[name][0] if name in found else tensor for name, tensor in tensors.items()}, names, scales
