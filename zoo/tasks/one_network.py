"""What the recipes of tasks share: one network, which learns as the settings' method says."""

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.optim import Optimizer

from zoo.specs.networks import Network
from zoo.specs.settings import TrainingSettings
from zoo.tasks.methods import learner


class OneNetwork:
    """A recipe of one network, called `model` in checkpoints; a subclass gives what is left of `zoo.Recipe`."""

    def __init__(self, settings: TrainingSettings, network: nn.Module, classes: tuple[str, ...]) -> None:
        self.settings: Any = settings
        self.classes = classes
        self.learner = learner(settings, network)
        self.model: Any = self.learner.network

    def modules(self) -> Mapping[str, nn.Module]:
        return {"model": self.model}

    def optimizers(self) -> Mapping[str, Optimizer]:
        return {"model": self.learner.optimizer()}

    def export(self) -> nn.Module:
        return self.learner.export()


def with_classes(model: Any, count: int) -> nn.Module:
    """Return a backbone with a head for so many classes, a fresh one where it has another."""
    backbone: Any = model.backbone if isinstance(model, Network) else model
    if backbone.num_classes != count:
        device = next(backbone.parameters()).device
        backbone.reset_classifier(count)
        backbone.to(device)
    found: nn.Module = backbone
    return found
