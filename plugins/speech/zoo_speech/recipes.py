"""Sounds learnt with classes, from the start or from pretrained weights."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

import zoo
from zoo_speech.augmentation import augmented_inputs, model_inputs
from zoo_speech.pictures import spectrogram_grid
from zoo_speech.settings import ClassificationSettings, SupervisedSettings
from zoo_speech.sound import Sound

_SHOWN = 16


class Classification(zoo.OneNetwork):
    """Cross-entropy on the backbone's own head, replaced where its classes are others."""

    def __init__(
        self,
        settings: ClassificationSettings | SupervisedSettings,
        model: Any,
        classes: tuple[str, ...],
        inputs: Sound,
    ) -> None:
        if isinstance(model, zoo.Network):
            model = model.backbone
        if model.num_classes != len(classes):
            model.reset_classifier(len(classes))
        super().__init__(settings, model, classes)
        self.inputs = inputs

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        logits = self.model(augmented_inputs(batch, self.inputs, self.settings, draws))
        yield zoo.Loss("model", F.cross_entropy(logits, batch["labels"], label_smoothing=self.settings.label_smoothing))

    def answers(self, batches: Iterable[zoo.Batch]) -> tuple[Tensor, Tensor]:
        """Return logits and labels of all sounds on the CPU."""
        with zoo.evaluating(self.model):
            pairs = [(self._logits(batch), batch["labels"].cpu()) for batch in batches]
        self.learner.train()  # of frozen layers, evaluating gives back what they were
        logits, labels = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        return logits, labels

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return accuracy and the mean recall of the classes, both in percent, and the cross-entropy in nats."""
        return self.scores(*self.answers(batches))

    def scores(self, logits: Tensor, labels: Tensor) -> dict[str, float]:
        """Return the scores of answers."""
        counts = self._counts(logits, labels)
        recall = counts.diag() / counts.sum(1).clamp(min=1)
        return {
            "accuracy": 100 * float(counts.diag().sum()) / len(labels),
            "recall": 100 * float(recall[counts.sum(1) > 0].mean()),
            "loss": float(F.cross_entropy(logits, labels)),
        }

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        kept = list(batches)
        logits, labels = self.answers(kept)
        made = [zoo.confusion_matrix(self._counts(logits, labels), self.classes, folder / "confusion.png")]
        rows, shown = zoo.spread_rows(kept, _SHOWN)
        inputs: list[Tensor] = []
        for batch, some in zip(kept, rows, strict=True):
            inputs += model_inputs(batch, self.inputs).float().cpu()[some]
        found = [self.classes[place] for place in logits[shown].argmax(1).tolist()]
        true = [self.classes[place] for place in labels[shown].tolist()]
        return [*made, spectrogram_grid(inputs, found, true, folder / "examples.png")]

    def _logits(self, batch: zoo.Batch) -> Tensor:
        logits: Tensor = self.model(model_inputs(batch, self.inputs))
        return logits.float().cpu()

    def _counts(self, logits: Tensor, labels: Tensor) -> Tensor:
        size = len(self.classes)
        return torch.bincount(labels * size + logits.argmax(1), minlength=size * size).view(size, size)
