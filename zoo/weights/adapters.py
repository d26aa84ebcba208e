"""Low-rank adapters (LoRA; Hu et al., 2021): W x + (alpha / rank) · B A x, of which A and B alone learn.

A convolution's A is a convolution of its own form to `rank` channels, and its B one of 1x1.
"""

import math
from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from zoo.specs.networks import Network


class Adapted(nn.Module):
    """A layer that is kept as it is, and the correction beside it, which begins at nothing."""

    def __init__(self, base: nn.Linear | nn.Conv2d, *, rank: int, alpha: float) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.scale = alpha / rank
        self.down: nn.Linear | nn.Conv2d
        self.up: nn.Linear | nn.Conv2d
        if isinstance(base, nn.Linear):
            self.down = nn.Linear(base.in_features, rank, bias=False)
            self.up = nn.Linear(rank, base.out_features, bias=False)
        else:
            form = ("kernel_size", "stride", "padding", "dilation", "padding_mode")
            same: dict[str, Any] = {name: getattr(base, name) for name in form}
            self.down = nn.Conv2d(base.in_channels, rank, bias=False, **same)
            self.up = nn.Conv2d(rank, base.out_channels, kernel_size=1, bias=False)
        nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))
        nn.init.zeros_(self.up.weight)
        self.to(base.weight)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.base(x) + self.up(self.down(x)) * self.scale
        return output

    @torch.no_grad()
    def merged(self) -> nn.Module:
        """Return the layer with the correction added to its weights."""
        down, up, weight = (_whole(layer.weight) for layer in (self.down, self.up, self.base))
        change = (up.flatten(1) @ down.flatten(1)).view(weight.shape)
        self.base.weight = nn.Parameter(weight + self.scale * change)
        return self.base


def add_adapters(model: nn.Module, *, rank: int, alpha: float) -> None:
    """Put adapters beside the linear layers and convolutions of the backbone, but for its classifier.

    Grouped convolutions are left out: their kernels hold too few numbers to be worth a correction.
    """
    classifier = set(_classifier(model).modules())
    for owner, name, layer in _layers(_backbone(model)):
        ungrouped = type(layer) is nn.Linear or (type(layer) is nn.Conv2d and layer.groups == 1)
        if ungrouped and layer not in classifier:
            setattr(owner, name, Adapted(cast(Any, layer), rank=rank, alpha=alpha))


def merge_adapters(model: nn.Module) -> None:
    """Put back each adapted layer, with what its adapter has learnt in its weights."""
    for owner, name, layer in _layers(model):
        if isinstance(layer, Adapted):
            setattr(owner, name, layer.merged())


def learnt_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return what differs from the weights that the adapters were added to: adapters, and all of the head."""
    backbone = _backbone(model)
    kept = {id(tensor) for tensor in backbone.state_dict(keep_vars=True).values()}
    kept -= {id(tensor) for tensor in _classifier(model).state_dict(keep_vars=True).values()}
    for module in backbone.modules():
        if isinstance(module, Adapted):
            kept -= {id(module.down.weight), id(module.up.weight)}
    return {name: tensor for name, tensor in model.state_dict(keep_vars=True).items() if id(tensor) not in kept}


def _backbone(model: nn.Module) -> nn.Module:
    return model.backbone if isinstance(model, Network) else model


def _classifier(model: nn.Module) -> nn.Module:
    """Return the backbone's own classifier; a task's network has taken it away."""
    backbone: Any = _backbone(model)
    classifier: nn.Module = backbone.get_classifier()
    return classifier


def _layers(model: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    """Yield every module with its owner and its name there, as they are before any is replaced."""
    yield from [(owner, name, layer) for owner in model.modules() for name, layer in owner.named_children()]


def _whole(tensor: Tensor) -> Tensor:
    return cast(Tensor, cast(Any, tensor).full_tensor()) if isinstance(tensor, DTensor) else tensor
