"""Finetune any image backbone to say which class a picture shows, or which classes where it may show several."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.data.augmentation.mixing import mix
from zoo.data.augmentation.policies import augment
from zoo.data.draws import Draws
from zoo.data.images.normalise import normalise
from zoo.engine.pictures import confusion_matrix, labelled_grid
from zoo.engine.recipe import Batch, Loss
from zoo.tasks.multi_label import MultiLabelClassifier, class_loss, multi_label_scores, precision_chart, seen
from zoo.tasks.one_network import OneNetwork, with_classes
from zoo.tasks.settings import ImageClassificationSettings
from zoo.weights.inputs import Preprocessing


class ImageClassification(OneNetwork):
    """Cross-entropy on the backbone's own head, replaced where its classes are others.

    Labels of 0 and 1 for every class make it binary cross-entropy of each class by itself.
    """

    settings: ImageClassificationSettings

    def __init__(
        self,
        settings: ImageClassificationSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: Preprocessing,
    ) -> None:
        super().__init__(settings, with_classes(model, len(classes)), classes)
        self.preprocessing = preprocessing
        self.several = isinstance(model, MultiLabelClassifier)
        """Whether pictures have shown to have several labels each."""

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        settings = self.settings
        images, targets = augment(batch["images"], draws, settings.augmentation), batch["labels"]
        self.several = targets.ndim == 2
        if self.several or settings.mixing != "none":
            shares = targets if self.several else F.one_hot(targets, len(self.classes))
            images, targets = mix(images, shares.to(images.dtype), draws, settings.mixing)
        loss = class_loss(self._logits(images), targets, settings.label_smoothing, several=self.several)
        yield Loss("model", loss)

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return accuracy and the mean recall of the classes, both in percent, and the cross-entropy in nats.

        Where a picture may show several classes the scores are those of `multi_label_scores`.
        """
        first, *others = batches
        self.several = first["labels"].ndim == 2
        if self.several:
            return multi_label_scores(*self._answers([first, *others]), self.classes)
        counts, loss, count = self._confusion([first, *others])
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
        self.several = kept[0]["labels"].ndim == 2
        if self.several:
            return self._several_pictures(kept, folder)
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
        model = self.learner.export()
        return MultiLabelClassifier(model, len(self.classes)).eval() if self.several else model

    def _answers(self, batches: Iterable[Batch]) -> tuple[Tensor, Tensor]:
        """Return logits and labels of all pictures, (samples, classes), on the CPU."""
        self.model.eval()
        pairs = [(self._logits(batch["images"]).float().cpu(), batch["labels"].cpu()) for batch in batches]
        self.learner.train()
        return torch.cat([logits for logits, _ in pairs]), torch.cat([labels for _, labels in pairs])

    def _several_pictures(self, batches: list[Batch], folder: Path) -> list[Path]:
        logits, labels = self._answers(batches)
        scores = multi_label_scores(logits, labels, self.classes)
        images = batches[0]["images"][:32]
        answers, truths = seen(logits[: len(images)]), labels[: len(images)].bool()
        titles = [", ".join(self.classes[place] for place in row.nonzero()[:, 0].tolist()) or "none" for row in answers]
        wrong = (answers != truths).any(1).tolist()
        return [
            precision_chart(scores, folder / "classes.png"),
            labelled_grid(images, titles, wrong, folder / "examples.png"),
        ]

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
