"""BYOL (Grill et al., NeurIPS 2020): predict what a slowly moving teacher makes of the other view; no negatives.

L = mean over both views of 2 - 2 cos(q(g(f(v))), g'(f'(v'))), with f the model, g its projection, q a predictor, and
f', g' the teacher, which follows f and g as a moving average. The online model is exported.

Differs from the paper: AdamW, not LARS; the teacher's momentum is constant; both views share one pass, and so the
statistics of batch norm.
"""

from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_cnn.pretraining.backbone import pooled
from zoo_cnn.pretraining.heads import ProjectionHead
from zoo_cnn.pretraining.momentum import follow, teacher_of
from zoo_cnn.pretraining.self_supervised import SelfSupervised
from zoo_cnn.pretraining.settings import BYOLSettings
from zoo_cnn.pretraining.views import two_views


class BYOL(SelfSupervised):
    """Predict the teacher's projection of another view of the same picture."""

    settings: BYOLSettings

    def __init__(
        self, settings: BYOLSettings, model: nn.Module, classes: tuple[str, ...], preprocessing: zoo.Preprocessing
    ) -> None:
        super().__init__(settings, model, classes, preprocessing)
        hidden, size = settings.projection_hidden, settings.projection_size
        self.projector = ProjectionHead(self.observer.num_features, hidden, size).to(self.device)
        self.predictor = ProjectionHead(size, hidden, size).to(self.device)
        self.teacher = teacher_of(self.model)
        self.teacher_projector = teacher_of(self.projector)
        self.heads = {"projector": self.projector, "predictor": self.predictor}
        self.followers = {"teacher": self.teacher, "teacher_projector": self.teacher_projector}

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        settings = self.settings
        yield zoo.Loss("model", self._loss(batch["images"], draws))
        follow(self.teacher, self.model, settings.teacher_momentum, share=settings.accumulate)
        follow(self.teacher_projector, self.projector, settings.teacher_momentum, share=settings.accumulate)
        yield from self.observer.observe(batch)

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return what the observer says of the features, and the loss."""
        with zoo.evaluating(self.projector, self.predictor, self.teacher, self.teacher_projector):
            return self.observer.scores(batches, self._loss)

    def _loss(self, images: Tensor, draws: zoo.Draws) -> Tensor:
        views = two_views(images, draws, self.settings, self.observer.size)
        predicted = self.predictor(self.projector(pooled(self.model, views, self.preprocessing)))
        with torch.no_grad():
            targets = self.teacher_projector(pooled(self.teacher, views, self.preprocessing))
        other = targets.roll(len(images), 0)
        return (2 - 2 * F.cosine_similarity(predicted.float(), other.float(), dim=1)).mean()
