"""What an adapter adds to what a layer computes, while the layer stays as it is."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import zoo
from zoo_peft.container import corrected, lengthened
from zoo_peft.tensors import Pair


@dataclass(frozen=True)
class Correction:
    """One pair of matrices for some outputs of a layer: all of them, or those of one of several joined layers.

    By DoRA `factor` is what each row of the corrected weight is multiplied by, to have the length that was learnt.
    """

    first: int
    count: int
    down: Tensor
    up: Tensor
    scale: float
    factor: Tensor | None

    @classmethod
    def of(cls, layer: Any, part: tuple[int, int], pair: Pair, own: dict[str, Tensor], source: str) -> "Correction":
        """Return the correction of a layer by a pair. Raise UsageError for a layer that is none of these kinds."""
        if type(layer) not in (nn.Linear, nn.Conv2d) or getattr(layer, "groups", 1) != 1:
            raise zoo.UsageError(
                f"{source} corrects a {type(layer).__name__}, beside which it cannot lie; load it merged: "
                "zoo.load(ADAPTER)"
            )
        weight = layer.weight
        count = len(weight) // part[1]
        first = part[0] * count
        down = own[pair.down].to(weight)
        factor = None
        if pair.magnitude is not None:
            rows = weight[first : first + count]
            factor = lengthened(corrected(rows, pair, own), own[pair.magnitude])
        return cls(
            first=first,
            count=count,
            down=down.view(len(down), *weight.shape[1:]),
            up=own[pair.up].to(weight).view(count, len(down), *[1] * (weight.ndim - 2)),
            scale=pair.scale,
            factor=None if factor is None else factor.to(weight),
        )

    def added(self, layer: Any, x: Tensor, output: Tensor) -> Tensor:
        """Return a layer's output with the correction."""
        axis = -1 if isinstance(layer, nn.Linear) else 1
        if isinstance(layer, nn.Linear):
            change = functional.linear(functional.linear(x, self.down), self.up)
        else:
            change = functional.conv2d(layer._conv_forward(x, self.down, None), self.up)
        rows = output.narrow(axis, self.first, self.count)
        bias = 0.0 if layer.bias is None else self._along(layer.bias[self.first : self.first + self.count], axis)
        found = rows + self.scale * change
        if self.factor is not None:
            found = (found - bias) * self._along(self.factor, axis) + bias
        if self.count == output.shape[axis]:
            return found
        parts = [output.narrow(axis, 0, self.first), found]
        behind = self.first + self.count
        return torch.cat([*parts, output.narrow(axis, behind, output.shape[axis] - behind)], axis)

    def merge(self, layer: Any) -> None:
        """Put the correction into the layer's weight."""
        weight = layer.weight.detach().clone()
        rows = weight[self.first : self.first + self.count]
        rows += self.scale * (self.up.flatten(1) @ self.down.flatten(1)).view(rows.shape)
        if self.factor is not None:
            rows *= self.factor.view(-1, *[1] * (rows.ndim - 1))
        layer.weight = nn.Parameter(weight, requires_grad=layer.weight.requires_grad)

    @staticmethod
    def _along(values: Tensor, axis: int) -> Tensor:
        return values if axis == -1 else values.view(1, -1, 1, 1)
