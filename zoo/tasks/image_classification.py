"""Finetune any image backbone to say which class a picture shows."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.data.augmentation.mixing import mix
from zoo.data.augmentation.policies import augment
from zoo.data.normalise import normalise
from zoo.draws import Draws
from zoo.engine.pictures import confusion_matrix, labelled_grid
from zoo.engine.recipe import Batch, Loss
from zoo.tasks.methods import Learner
from zoo.tasks.settings import ImageClassificationSettings
from zoo.weights.config import Preprocessing


class ImageClassification:
    """Cross-entropy on the backbone's own head, replaced where its classes are others."""

    def __init__(
        self,
        settings: ImageClassificationSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: Preprocessing,
    ) -> None:
        self.settings = settings
        self.preprocessing = preprocessing
        self.model = model
        self.classes = classes
        backbone = cast(Any, model)
        if backbone.num_classes != len(classes):
            device = next(model.parameters()).device
            backbone.reset_classifier(len(classes))
            model.to(device)
        self.learner = Learner(settings, model)

    def modules(self) -> Mapping[str, nn.Module]:
        return {"model": self.model}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {"model": self.learner.optimizer()}

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        settings = self.settings
        images, targets = augment(batch["images"], draws, settings.augmentation), batch["labels"]
        if settings.mixing != "none":
            shares = F.one_hot(targets, len(self.classes)).to(images.dtype)
            images, targets = mix(images, shares, draws, settings.mixing)
        smoothing = settings.label_smoothing
        yield Loss("model", F.cross_entropy(self._logits(images), targets, label_smoothing=smoothing))

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return accuracy and the mean recall of the classes, both in percent, and the cross-entropy in nats."""
        counts, loss, count = self._confusion(batches)
        recall = counts.diag() / counts.sum(1).clamp(min=1)
        present = counts.sum(1) > 0
        return {
            "accuracy": 100 * float(counts.diag().sum()) / count,
            "recall": 100 * float(recall[present].mean()),
            "loss": loss / count,
        }

    @torch.no_grad()
    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        kept = list(batches)
        counts, _, _ = self._confusion(kept)
        images, labels = kept[0]["images"][:32], kept[0]["labels"][:32].tolist()
        self.model.eval()
        predicted = self._logits(images).argmax(1).tolist()
        self.learner.train()
        titles = [self.classes[place] for place in predicted]
        wrong = [mine != true for mine, true in zip(predicted, labels, strict=True)]
        titles = [
            f"{t}\n({self.classes[label]})" if w else t for t, label, w in zip(titles, labels, wrong, strict=True)
        ]
        return [
            confusion_matrix(counts, self.classes, folder / "confusion.png"),
            labelled_grid(images, titles, wrong, folder / "examples.png"),
        ]

    def export(self) -> nn.Module:
        return self.learner.export()

    def _logits(self, images: Tensor) -> Tensor:
        logits: Tensor = self.model(normalise(images, self.preprocessing))
        return logits

    def _confusion(self, batches: Iterable[Batch]) -> tuple[Tensor, float, int]:
        self.model.eval()
        classes = len(self.classes)
        counts = torch.zeros(classes * classes, dtype=torch.int64)
        loss, count = torch.zeros((), dtype=torch.float64), 0
        for batch in batches:
            logits, labels = self._logits(batch["images"]), batch["labels"]
            loss += F.cross_entropy(logits, labels, reduction="sum").double().cpu()
            counts += torch.bincount(labels * classes + logits.argmax(1), minlength=classes * classes).cpu()
            count += len(labels)
        self.learner.train()
        return counts.view(classes, classes), float(loss), count
