"""What recipes without labels share: a backbone without a head, what learns beside it, and who watches its features."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import nn

import zoo
from zoo_cnn.pretraining.backbone import with_classes
from zoo_cnn.pretraining.observation import Observer
from zoo_cnn.pretraining.settings import ViewSettings


class SelfSupervised(zoo.OneNetwork):
    """A recipe whose `heads` learn with the model, and whose `followers` no gradient reaches, by name.

    The features of `observed` are watched, by default those of the model.
    """

    settings: ViewSettings

    def __init__(
        self,
        settings: ViewSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
        *,
        observed: nn.Module | None = None,
    ) -> None:
        super().__init__(settings, with_classes(model, 0), classes)
        self.preprocessing = preprocessing
        self.device = next(model.parameters()).device
        self.observer = Observer(settings, observed or model, classes, preprocessing)
        self.heads: dict[str, nn.Module] = {}
        self.followers: dict[str, nn.Module] = {}

    def modules(self) -> Mapping[str, nn.Module]:
        return {**super().modules(), **self.heads, **self.followers, **self.observer.modules()}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        learning = (self.model, *self.heads.values())
        groups = [group for module in learning for group in zoo.parameter_groups(module, self.settings)]
        model = zoo.make_optimizer(self.settings.optimizer, groups, self.settings)
        return {"model": model, **self.observer.optimizers()}

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        return self.observer.pictures(batches, folder)
