"""Pretrain with labels: cross-entropy against smoothed targets (Szegedy et al., CVPR 2016), mixed where asked.

L = -sum over classes c of t_c log softmax(f(a(x)))_c, with t = (1 - s) y + s / classes, a augmentation and s the
smoothing. Mixup and cutmix (Zhang et al., 2017; Yun et al., 2019) blend pictures and y alike. Stochastic depth is the
model's own argument `drop_path_rate`, the moving average of the weights the setting `ema`.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch.nn.functional as F
from torch import nn

import zoo
from zoo_cnn.pretraining.backbone import with_classes
from zoo_cnn.pretraining.classifying import class_labels, class_pictures, class_scores
from zoo_cnn.pretraining.settings import SupervisedSettings


class Supervised(zoo.OneNetwork):
    """Minimise the cross-entropy of the model's own head."""

    settings: SupervisedSettings

    def __init__(
        self,
        settings: SupervisedSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        super().__init__(settings, with_classes(model, len(classes)), classes)
        self.preprocessing = preprocessing

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        settings = self.settings
        images = zoo.augment(batch["images"], draws, settings.augmentation)
        if (labels := class_labels(batch)) is None:
            raise zoo.DataError("recipe supervised needs single-label images; use another, such as simclr")
        targets = F.one_hot(labels, len(self.classes)).to(images.dtype)
        images, targets = zoo.mix(images, targets, draws, settings.mixing)
        logits = self.model(zoo.normalize(images, self.preprocessing))
        yield zoo.Loss("model", F.cross_entropy(logits, targets, label_smoothing=settings.label_smoothing))

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return accuracy in percent and the cross-entropy in nats."""
        return class_scores(self.model, batches, self.classes, self.preprocessing)

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        return class_pictures(
            self.model, batches, self.classes, self.preprocessing, folder, augmentation=self.settings.augmentation
        )
