"""Knowledge distillation (Hinton et al., 2015): learn what a trained classifier says, and labels where any are.

L = (1 - w) T^2 KL( softmax(t / T) || softmax(s / T) ) + w CE(s, y), with t and s the logits of teacher and student on
the same augmented picture, T the temperature, and w the weight of the hard labels y, 0 where there are none.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_cnn.pretraining.backbone import with_classes
from zoo_cnn.pretraining.classifying import class_labels, class_pictures, class_scores
from zoo_cnn.pretraining.settings import DistillationSettings
from zoo_cnn.pretraining.teacher import Teacher, load_teacher


class Distillation(zoo.OneNetwork):
    """Minimise the divergence from what the teacher says of augmented pictures."""

    settings: DistillationSettings

    def __init__(
        self,
        settings: DistillationSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        self.preprocessing = preprocessing
        self.teacher: Teacher | None = None
        self._missing: zoo.ZooError | None = None
        try:
            self.teacher = load_teacher(settings.teacher, preprocessing, classes, next(model.parameters()).device)
        except zoo.NotFoundError as error:  # weights are scored where their teacher may be gone; training stops below
            self._missing = error
        else:
            with_classes(model, self.teacher.num_classes)
        super().__init__(settings, model, classes)

    def modules(self) -> Mapping[str, nn.Module]:
        return {**super().modules(), **({"teacher": self.teacher.model} if self.teacher else {})}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        if self._missing is not None:
            raise self._missing
        return super().optimizers()

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        assert self.teacher is not None
        settings = self.settings
        images = zoo.augment(batch["images"], draws, settings.augmentation)
        labels = class_labels(batch)
        shape = (len(images), self.teacher.num_classes)
        targets = images.new_zeros(shape) if labels is None else F.one_hot(labels, shape[1]).to(images.dtype)
        images, targets = zoo.mix(images, targets, draws, settings.mixing)
        logits = self.model(zoo.normalize(images, self.preprocessing)).float()
        soft = divergence(logits, self.teacher.logits(images), settings.temperature)
        weight = 0.0 if labels is None else settings.hard_weight
        hard = F.cross_entropy(logits, targets)
        yield zoo.Loss("model", (1 - weight) * soft + weight * hard)

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return in percent how often both say the same, and accuracy and cross-entropy where there are labels."""
        kept = list(batches)
        found = {} if self.teacher is None else {"agreement": self._agreement(self.teacher, kept)}
        if self.classes and class_labels(kept[0]) is not None:
            found |= class_scores(self.model, kept, self.classes, self.preprocessing)
        return found

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        if not self.classes:
            return []
        augmentation = self.settings.augmentation
        return class_pictures(self.model, batches, self.classes, self.preprocessing, folder, augmentation=augmentation)

    def _agreement(self, teacher: Teacher, batches: Iterable[zoo.Batch]) -> float:
        agreed, count = torch.zeros((), dtype=torch.int64), 0
        with zoo.evaluating(self.model):
            for batch in batches:
                mine = self.model(zoo.normalize(batch["images"], self.preprocessing)).argmax(1)
                agreed += (mine == teacher.logits(batch["images"]).argmax(1)).sum().cpu()
                count += len(mine)
        return 100 * float(agreed) / count


def divergence(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """Return T^2 times the mean divergence of softened targets' classes, as logits, from those of `logits`."""
    mine, theirs = (logits / temperature).log_softmax(1), (targets / temperature).log_softmax(1)
    return temperature**2 * F.kl_div(mine, theirs, reduction="batchmean", log_target=True)
