"""Finetune any image backbone to say which class a picture shows, or which classes where it may show several."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.data.augmentation.mixing import mix
from zoo.data.augmentation.policies import augment
from zoo.data.draws import Draws
from zoo.data.images.normalize import normalize
from zoo.engine.pictures import confusion_matrix, labelled_grid
from zoo.engine.recipe import Batch, Loss
from zoo.engine.samples import spread_samples
from zoo.tasks.class_scores import confusion_counts
from zoo.tasks.multi_label import MultiLabelClassifier, class_loss, multi_label_scores, precision_chart, seen
from zoo.tasks.one_network import OneNetwork, with_classes
from zoo.tasks.settings import ImageClassificationSettings
from zoo.weights.inputs import Preprocessing

_SHOWN = 32


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
        settings, size, targets = self.settings, self.preprocessing.image_size, batch["labels"]
        images = augment(batch["images"], draws, settings.augmentation, size=size, sizes=batch.get("sizes"))
        self.several = targets.ndim == 2
        if self.several or settings.mixing != "none":
            shares = targets if self.several else F.one_hot(targets, len(self.classes))
            images, targets = mix(images, shares.to(images.dtype), draws, settings.mixing)
        loss = class_loss(self._logits(images), targets, settings.label_smoothing, several=self.several)
        yield Loss("model", loss)

    @torch.no_grad()
    def answers(self, batches: Iterable[Batch]) -> tuple[Tensor, Tensor]:
        """Return logits and labels of all pictures on the CPU."""
        self.model.eval()
        pairs = [(self._logits(batch["images"]).float().cpu(), batch["labels"].cpu()) for batch in batches]
        self.learner.train()
        logits, labels = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        self.several = labels.ndim == 2
        return logits, labels

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return accuracy and the mean recall of the classes, both in percent, and the cross-entropy in nats.

        Where a picture may show several classes the scores are those of `multi_label_scores`.
        """
        return self.scores(*self.answers(batches))

    def scores(self, logits: Tensor, labels: Tensor) -> dict[str, float]:
        """Return the scores of answers."""
        if labels.ndim == 2:
            return multi_label_scores(logits, labels, self.classes)
        counts = confusion_counts(logits, labels, len(self.classes))
        recall = counts.diag() / counts.sum(1).clamp(min=1)
        return {
            "accuracy": 100 * float(counts.diag().sum()) / len(labels),
            "recall": 100 * float(recall[counts.sum(1) > 0].mean()),
            "loss": float(F.cross_entropy(logits, labels)),
        }

    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        kept = list(batches)
        logits, labels = self.answers(kept)
        few, places = spread_samples(kept, _SHOWN)
        images, shown, truths = few["images"], logits[places], labels[places]
        if self.several:
            chart = precision_chart(self.scores(logits, labels), folder / "classes.png")
            answers = seen(shown)
            titles = [self._listed(row) for row in answers]
            wrong = (answers != truths.bool()).any(1).tolist()
        else:
            chart = confusion_matrix(
                confusion_counts(logits, labels, len(self.classes)), self.classes, folder / "confusion.png"
            )
            pairs = list(zip(shown.argmax(1).tolist(), truths.tolist(), strict=True))
            wrong = [mine != true for mine, true in pairs]
            titles = [
                self.classes[mine] + (f"\n({self.classes[true]})" if mine != true else "") for mine, true in pairs
            ]
        return [chart, labelled_grid(images, titles, wrong, folder / "examples.png")]

    def export(self) -> nn.Module:
        model = self.learner.export()
        return MultiLabelClassifier(model, len(self.classes)).eval() if self.several else model

    def _listed(self, row: Tensor) -> str:
        return ", ".join(self.classes[place] for place in row.nonzero()[:, 0].tolist()) or "none"

    def _logits(self, images: Tensor) -> Tensor:
        logits: Tensor = self.model(normalize(images, self.preprocessing))
        return logits
