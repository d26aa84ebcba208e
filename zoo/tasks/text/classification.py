"""Finetune any text backbone to say of which class a text is, or a pair of texts, or of which ones."""

import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.data.draws import Draws
from zoo.engine.modes import evaluating
from zoo.engine.pictures import confusion_matrix
from zoo.engine.recipe import Batch, Loss
from zoo.tasks.class_scores import confusion_counts
from zoo.tasks.multi_label import MultiLabelTextClassifier, class_loss, multi_label_scores, precision_chart
from zoo.tasks.one_network import OneNetwork, with_classes
from zoo.tasks.text.settings import TextClassificationSettings
from zoo.weights.tokenizer import TextInputs


class TextClassification(OneNetwork):
    """Cross-entropy on the backbone's own head, replaced where its classes are others.

    Labels of 0 and 1 for every class make it binary cross-entropy of each class by itself.
    """

    settings: TextClassificationSettings

    def __init__(
        self,
        settings: TextClassificationSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        inputs: TextInputs,
    ) -> None:
        super().__init__(settings, with_classes(model, len(classes)), classes)
        self.several = isinstance(model, MultiLabelTextClassifier)
        """Whether texts have shown to have several labels each."""
        forward: Any = type(self.model).forward
        known = inspect.signature(forward).parameters
        self.mask = inputs.tokenizer.needed("mask") if settings.masked else None
        self.special = torch.tensor(sorted(inputs.tokenizer.special))
        self._looks_at = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in known]

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        self.several = batch["labels"].ndim == 2
        logits, smoothing = self._logits(self._masked(batch, draws)), self.settings.label_smoothing
        yield Loss("model", class_loss(logits, batch["labels"], smoothing, several=self.several))

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return accuracy and the mean F1 of the classes, both in percent, and the cross-entropy in nats.

        Classes that occur, or are only said, count for the mean, as scikit-learn's `f1_score` has it.

        Where a text may have several classes the scores are those of `multi_label_scores`.
        """
        return self.scores(*self.answers(batches))

    def scores(self, logits: Tensor, labels: Tensor) -> dict[str, float]:
        """Return the scores of answers."""
        if labels.ndim == 2:
            return multi_label_scores(logits, labels, self.classes)
        counts = confusion_counts(logits, labels, len(self.classes))
        right, said, true = counts.diag().double(), counts.sum(0).double(), counts.sum(1).double()
        f1 = 2 * right / (said + true).clamp(min=1)
        return {
            "accuracy": 100 * float(right.sum()) / len(labels),
            "f1_macro": 100 * float(f1[said + true > 0].mean()),
            "loss": float(F.cross_entropy(logits, labels)),
        }

    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        logits, labels = self.answers(batches)
        if not self.several:
            counts = confusion_counts(logits, labels, len(self.classes))
            return [confusion_matrix(counts, self.classes, folder / "confusion.png")]
        return [precision_chart(self.scores(logits, labels), folder / "classes.png")]

    def export(self) -> nn.Module:
        model = self.learner.export()
        return MultiLabelTextClassifier(model, len(self.classes)).eval() if self.several else model

    def _masked(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with some of its tokens hidden, as the settings ask."""
        if self.mask is None:
            return batch
        ids = batch["input_ids"]
        special = torch.isin(ids, self.special.to(ids.device))
        hidden = (draws.uniform("hidden tokens", ids.shape[1]) < self.settings.masked) & ~special
        return {**batch, "input_ids": ids.masked_fill(hidden, self.mask)}

    def _logits(self, batch: Batch) -> Tensor:
        return cast(Tensor, self.model(**{name: batch[name] for name in self._looks_at if name in batch}))

    def answers(self, batches: Iterable[Batch]) -> tuple[Tensor, Tensor]:
        """Return logits and labels of all texts on the CPU."""
        with evaluating(self.model):
            pairs = [(self._logits(batch).float().cpu(), batch["labels"].cpu()) for batch in batches]
        self.learner.train()
        logits, labels = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        self.several = labels.ndim == 2
        return logits, labels
