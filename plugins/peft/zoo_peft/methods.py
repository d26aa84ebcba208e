"""Ways to finetune beside lora: rsLoRA scales its corrections otherwise, and DoRA learns lengths besides."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

import zoo


def rank_stabilized(settings: zoo.FinetuneSettings, network: nn.Module) -> zoo.FinetuneMethod:
    """Return rsLoRA: LoRA whose corrections count by alpha over the root of the rank."""
    alpha = settings.lora_alpha * math.sqrt(settings.lora_rank)
    return zoo.learner(replace(settings, method="lora", lora_alpha=alpha), network)


class DoRA:
    """LoRA that decides where the rows of each weight point to, beside lengths that learn by themselves."""

    def __init__(self, settings: zoo.FinetuneSettings, network: nn.Module) -> None:
        self._lora = zoo.learner(replace(settings, method="lora"), network)
        for owner, name, layer in _layers(network):
            if all(hasattr(layer, part) for part in ("base", "down", "up", "scale")):
                setattr(owner, name, Decomposed(layer))
        self.train()

    @property
    def network(self) -> nn.Module:
        """The network that learns."""
        return self._lora.network

    @property
    def backbone(self) -> nn.Module:
        """The pretrained part."""
        return self._lora.backbone

    def optimizer(self) -> torch.optim.Optimizer:
        """Make the optimizer of the corrections, the lengths and the head."""
        return self._lora.optimizer()

    def train(self) -> None:
        """Set the training mode, as lora does."""
        self._lora.train()

    def export(self) -> nn.Module:
        """Return the network to publish, with the rows as they have been learnt."""
        for owner, name, layer in _layers(self.network):
            if isinstance(layer, Decomposed):
                setattr(owner, name, layer.merged())
        return self._lora.export()


class Decomposed(nn.Module):
    """A layer of which the directions of rows are corrected by two matrices, and their lengths are parameters."""

    def __init__(self, adapted: Any) -> None:
        super().__init__()
        self.base: nn.Linear | nn.Conv2d = adapted.base
        self.down: nn.Linear | nn.Conv2d = adapted.down
        self.up: nn.Linear | nn.Conv2d = adapted.up
        self.scale: float = adapted.scale
        self.magnitude = nn.Parameter(self._direction().flatten(1).norm(dim=1).detach().to(self.base.weight))

    def forward(self, x: Tensor) -> Tensor:
        # Liu et al., 4.3: the gradient takes the norm for a constant
        factor: Tensor = self.magnitude / self._direction().flatten(1).norm(dim=1).detach()
        bias, places = self.base.bias, (-1, *[1] * (self.base.weight.ndim - 2))
        output: Tensor = self.base(x) + self.up(self.down(x)) * self.scale
        factors: Tensor = factor.view(places)
        return output * factors if bias is None else (output - bias.view(places)) * factors + bias.view(places)

    @torch.no_grad()
    def merged(self) -> nn.Module:
        """Return the layer with the rows that were learnt as its weights."""
        direction = self._direction()
        factor = _whole(self.magnitude) / direction.flatten(1).norm(dim=1)
        self.base.weight = nn.Parameter(direction * factor.view(-1, *[1] * (direction.ndim - 1)))
        return self.base

    def _direction(self) -> Tensor:
        down, up, weight = (_whole(layer.weight) for layer in (self.down, self.up, self.base))
        found: Tensor = weight + self.scale * (up.flatten(1) @ down.flatten(1)).view(weight.shape)
        return found


def _layers(model: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    yield from [(owner, name, layer) for owner in model.modules() for name, layer in owner.named_children()]


def _whole(tensor: Any) -> Tensor:
    """Return all of a tensor, of which this process may hold a part."""
    found: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return found
