"""Learn sounds without labels, and with."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

import zoo
from zoo_tones.settings import ClassificationSettings, DenoisingSettings
from zoo_tones.sound import Sound


class SoundDenoising(zoo.OneNetwork):
    """The mean squared error of sounds that are given back without the noise that was added."""

    def __init__(self, settings: DenoisingSettings, model: Any, classes: tuple[str, ...], inputs: Sound) -> None:
        super().__init__(settings, model, classes)

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        yield zoo.Loss("model", self._error(batch["sounds"], draws))

    @torch.no_grad()
    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return the mean squared error of sounds that have the same noise each time."""
        with zoo.evaluating(self.model):
            errors = [self._error(batch["sounds"], zoo.Draws(0, 0, batch["index"])) for batch in batches]
        return {"mse": float(torch.stack(errors).mean())}

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        return []

    def _error(self, sounds: Tensor, draws: zoo.Draws) -> Tensor:
        noise = self.settings.noise * draws.normal("noise", sounds.shape[1])
        return F.mse_loss(self.model.reconstruct(sounds + noise), sounds)


class SoundClassification(zoo.OneNetwork):
    """Cross-entropy on the network's own head."""

    def __init__(self, settings: ClassificationSettings, model: Any, classes: tuple[str, ...], inputs: Sound) -> None:
        if model.num_classes != len(classes):
            model.reset_classifier(len(classes))
            model.to(next(model.parameters()).device)
        super().__init__(settings, model, classes)

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        yield zoo.Loss("model", F.cross_entropy(self.model(batch["sounds"]), batch["labels"]))

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return the accuracy in percent."""
        counts = self._counts(batches)
        return {"accuracy": 100 * float(counts.diag().sum() / counts.sum())}

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        return [zoo.confusion_matrix(self._counts(batches), self.classes, folder / "confusion.png")]

    @torch.no_grad()
    def _counts(self, batches: Iterable[zoo.Batch]) -> Tensor:
        counts = torch.zeros(len(self.classes), len(self.classes), dtype=torch.int64)
        with zoo.evaluating(self.model):
            for batch in batches:
                for true, found in zip(batch["labels"], self.model(batch["sounds"]).argmax(1), strict=True):
                    counts[true, found] += 1
        return counts
