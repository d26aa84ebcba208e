"""An optimizer that solves: its step puts the solution into the parameters, whatever their gradients are."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Solution(torch.optim.Optimizer):
    """Put into a model's parameters what `solve` gives by their names; once, since it gives the same again."""

    def __init__(self, model: nn.Module, solve: Callable[[], Mapping[str, Tensor]]) -> None:
        self._named = dict(model.named_parameters())
        self._solve = solve
        self._solved = False
        super().__init__([{"params": list(self._named.values()), "weight_decay": 0.0}], {"lr": 1.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # no closure is ever asked for
        """Put the solution into the parameters."""
        if self._solved:
            return
        for name, value in self._solve().items():
            fill(self._named[name], value)
        self._solved = True


def fill(parameter: Tensor, value: Tensor) -> None:
    """Put a whole tensor into a parameter, which may lie in parts on several processes."""
    value = value.to(parameter.device, parameter.dtype)
    if hasattr(parameter, "device_mesh"):
        from torch.distributed.tensor import distribute_tensor

        value = distribute_tensor(value, parameter.device_mesh, parameter.placements)  # type: ignore[attr-defined]
    parameter.detach().copy_(value)
