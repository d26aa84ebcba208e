"""What every backbone here has in common: stages one after the other, a pooled head, stochastic depth."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

import zoo


class Staged(zoo.ImageBackboneModule):
    """A backbone of stages. A subclass gives `steps`, `feature_info`, `num_features` and `group_matcher`."""

    feature_info: list[zoo.FeatureInfo]

    def pool(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))

    def steps(self) -> Sequence[tuple[Callable[[Tensor], Tensor], bool]]:
        """Return what runs one after the other, each with whether `feature_info` lists its output."""
        raise NotImplementedError

    def forward_features(self, x: Tensor) -> Tensor:
        for step, _ in self.steps():
            x = self.run(step, x)
        return x

    def intermediates(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps = []
        for step, listed in self.steps():
            x = self.run(step, x)
            if listed:
                maps.append(x)
        return x, maps


class DropPath(nn.Module):
    """Drop the residual path of whole samples at random (Huang et al., 2016), by torch's global generator."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = x.new_empty((len(x), 1, 1, 1)).bernoulli_(1 - self.rate).div_(1 - self.rate)
        return x * kept


def drop_path(rate: float) -> nn.Module:
    """Return a module that drops residual paths, or one that does nothing where the rate is 0."""
    return DropPath(rate) if rate else nn.Identity()


def drop_path_rates(last: float, count: int) -> list[float]:
    """Return a rate for each block, rising from 0 to `last`."""
    if not 0 <= last < 1:
        raise ValueError(f"drop_path_rate must be 0 or more and below 1, not {last}")
    return torch.linspace(0, last, count, device="cpu").tolist() if last else [0.0] * count
