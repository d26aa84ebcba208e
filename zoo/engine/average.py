"""The exponential moving average of everything that is trained (Polyak and Juditsky, 1992), as training goes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from zoo.engine.distribution import Distribution


class Average:
    """Average parameters and running statistics: after step t by `min(decay, (1 + t) / (10 + t))`."""

    def __init__(self, modules: Mapping[str, nn.Module], decay: float, distribution: Distribution) -> None:
        self.decay = decay
        self.tensors: dict[str, Tensor] = {}
        self.buffers: list[Tensor] = []
        """Those of the averages that each process gathers on its own share of the data: of running statistics."""
        self._live: list[Tensor] = []
        for name, tensor in averaged(modules).items():
            self.tensors[name] = tensor.detach().clone()
            if not isinstance(tensor, nn.Parameter):
                self.buffers.append(self.tensors[name])
            self._live.append(distribution.local(tensor.detach()))
        self._mine = [distribution.local(tensor) for tensor in self.tensors.values()]

    def update(self, step: int) -> None:
        """Take in what step number `step`, counted from 1, has made."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._mine, self._live, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the modules hold the averages for the length of the block."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        with torch.no_grad():
            for mine, live in zip(self._mine, self._live, strict=True):
                kept = live.clone()
                live.copy_(mine)
                mine.copy_(kept)


def averaged(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return the floating-point tensors of the modules' state by `module/name`, each once."""
    return {name: tensor for name, tensor in named_state(modules).items() if tensor.is_floating_point()}


def named_state(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return parameters and persistent buffers by `module/name`; a tied one by its first name alone."""
    seen: set[int] = set()
    found: dict[str, Tensor] = {}
    for module_name, module in modules.items():
        for name, tensor in module.state_dict(keep_vars=True).items():
            if id(tensor) not in seen:
                seen.add(id(tensor))
                found[f"{module_name}/{name}"] = tensor
    return found
