"""What of a network learns when it is finetuned, and how fast: the methods that every task shares."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from zoo.engine.optimizers import make_optimizer, parameter_groups
from zoo.registry.loading import load_named
from zoo.registry.registry import default_registry
from zoo.specs.networks import FinetuneMethod, Network
from zoo.specs.settings import FinetuneSettings, TrainingSettings
from zoo.weights.adapters import add_adapters, merge_adapters

Named = tuple[str, nn.Parameter]
_UNFREEZING = 0.5
"""The share of the training over which `gradual` lets the layers begin."""


class Finetuning:
    """A network that is finetuned by one of the methods of `FinetuneSettings`.

    `network` is a backbone with a classifier, or a `zoo.Network`; what is new, its head, always learns.
    """

    def __init__(self, settings: FinetuneSettings, network: nn.Module) -> None:
        self.settings = settings
        self.network = network
        if settings.method in ("frozen", "lora"):
            for _, parameter in self._split()[0]:
                parameter.requires_grad_(False)
        if settings.method == "lora":
            add_adapters(network, rank=settings.lora_rank, alpha=settings.lora_alpha)
        self.train()

    @property
    def backbone(self) -> nn.Module:
        """The pretrained part; a network without a task's head is its own backbone."""
        return self.network.backbone if isinstance(self.network, Network) else self.network

    def optimizer(self) -> torch.optim.Optimizer:
        """Make the optimizer of all that learns."""
        settings = self.settings
        backbone, head = self._split()
        groups = parameter_groups(self.network, settings, parameters=head)
        if settings.method == "lora":
            groups += parameter_groups(self.network, settings, parameters=backbone)  # those that learn are adapters
        elif settings.method != "frozen":
            pretrained = settings.method != "scratch"
            below = parameter_groups(
                self.backbone,
                settings,
                layer_decay=settings.layer_decay if pretrained else 1.0,
                unfreezing=_UNFREEZING if settings.method == "gradual" else 0.0,
                parameters=backbone,
                learning_rate=settings.learning_rate * (settings.backbone_rate if pretrained else 1.0),
            )
            for group in below if pretrained else ():
                group["begins"] = max(group["begins"], settings.head_first)
            groups += below
        return make_optimizer(settings.optimizer, groups, settings)

    def train(self) -> None:
        """Set the training mode. What is kept is in eval mode; under LoRA it drops out, and batch norms alone are."""
        self.network.train()
        fresh = set() if isinstance(self.network, Network) else set(self._classifier().modules())
        for module in self.backbone.modules():
            still = self.settings.method == "frozen" or (
                self.settings.method == "lora" and isinstance(module, _BatchNorm)
            )
            if still and module not in fresh:
                module.training = False

    def export(self) -> nn.Module:
        """Return the network to publish: adapters merged into what they correct, nothing frozen, in eval mode."""
        merge_adapters(self.network)
        return self.network.requires_grad_(True).eval()

    def _split(self) -> tuple[list[Named], list[Named]]:
        """Return the named parameters of the backbone, named as it names them, and those of the head."""
        if isinstance(self.network, Network):
            inside = {id(parameter) for parameter in self.backbone.parameters()}
            return list(self.backbone.named_parameters()), _without(self.network.named_parameters(), inside)
        head = {id(parameter) for parameter in self._classifier().parameters()}
        named = list(self.network.named_parameters())
        return _without(named, head), [item for item in named if id(item[1]) in head]

    def _classifier(self) -> nn.Module:
        backbone: Any = self.network
        classifier: nn.Module = backbone.get_classifier()
        return classifier


class FullTraining:
    """A network that learns as a whole, at one rate: a fresh one."""

    def __init__(self, settings: TrainingSettings, network: nn.Module) -> None:
        self.settings = settings
        self.network = network
        self.train()

    @property
    def backbone(self) -> nn.Module:
        """The network: all of it is new."""
        return self.network

    def optimizer(self) -> torch.optim.Optimizer:
        """Make the optimizer of all that learns."""
        return make_optimizer(self.settings.optimizer, parameter_groups(self.network, self.settings), self.settings)

    def train(self) -> None:
        """Set the training mode."""
        self.network.train()

    def export(self) -> nn.Module:
        """Return the network to publish."""
        return self.network.eval()


def learner(settings: TrainingSettings, network: nn.Module) -> FinetuneMethod:
    """Return how a network learns: by the method of settings that finetune, and else as a whole.

    Raise PluginError where the plugin of a method fails.
    """
    if not isinstance(settings, FinetuneSettings):
        return FullTraining(settings, network)
    offer = default_registry().method(settings.method)
    made: FinetuneMethod = load_named(offer, "target")(settings, network)
    return made


def _without(named: Iterable[Named], others: set[int]) -> list[Named]:
    return [item for item in named if id(item[1]) not in others]
