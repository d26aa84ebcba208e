"""What every backbone here has in common: stages one after the other, a pooled head, stochastic depth."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import zoo


class Staged(nn.Module):
    """A backbone of stages. A subclass gives `steps`, `feature_info`, `num_features`, `pool` and `group_matcher`."""

    classifier_name: ClassVar[str]
    feature_info: list[zoo.FeatureInfo]
    num_features: int
    num_classes: int

    def __init__(self) -> None:
        super().__init__()
        self.checkpointing = False

    def steps(self) -> Sequence[tuple[Callable[[Tensor], Tensor], bool]]:
        """Return what runs one after the other, each with whether `feature_info` lists its output."""
        raise NotImplementedError

    def pool(self, x: Tensor) -> Tensor:
        """Return pooled features (batch, num_features)."""
        raise NotImplementedError

    def forward_features(self, x: Tensor) -> Tensor:
        for step, _ in self.steps():
            x = self._run(step, x)
        return x

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        pooled = self.pool(x)
        logits: Tensor = pooled if pre_logits else self.get_classifier()(pooled)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    def forward_intermediates(
        self, x: Tensor, indices: int | Sequence[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        maps = []
        for step, listed in self.steps():
            x = self._run(step, x)
            if listed:
                maps.append(x)
        if isinstance(indices, int):
            maps = maps[-indices:]
        elif indices is not None:
            maps = [maps[index] for index in indices]
        return maps if intermediates_only else (x, maps)

    def get_classifier(self) -> nn.Module:
        return self.get_submodule(self.classifier_name)

    def reset_classifier(self, num_classes: int) -> None:
        self.num_classes = num_classes
        like = next(self.parameters())
        head = nn.Linear(self.num_features, num_classes, device=like.device, dtype=like.dtype) if num_classes else None
        owner, _, attribute = self.classifier_name.rpartition(".")
        setattr(self.get_submodule(owner), attribute, head or nn.Identity())

    def no_weight_decay(self) -> set[str]:
        return set()

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        self.checkpointing = enable

    def _run(self, step: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        if self.checkpointing and self.training:
            return cast(Tensor, checkpoint(step, x, use_reentrant=False))
        return step(x)


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


def check_sizes(**sizes: int | Sequence[int]) -> None:
    """Raise ValueError for a size below one."""
    for name, value in sizes.items():
        if min([value] if isinstance(value, int) else value, default=0) < 1:
            raise ValueError(f"{name} must be 1 or more, not {value}")
