"""DINO (Caron et al., ICCV 2021): a student tells of parts what a slowly moving teacher tells of the whole.

L = -mean over pairs of a global view v and another view v' of sum_k P_t(v)_k log P_s(v')_k, with
P_s = softmax(h_s / t_s) over the prototypes, P_t = softmax((h_t - c) / t_t), c the centre of the teacher's outputs as a
moving average, and the teacher the moving average of the student. The teacher is exported.

Differs from the paper: momentum and temperatures are constant; prototypes have length 1; 1,024 of them, not 65,536.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

import zoo
from zoo_cnn.pretraining.backbone import pooled, with_classes
from zoo_cnn.pretraining.heads import PrototypeHead
from zoo_cnn.pretraining.momentum import follow, teacher_of
from zoo_cnn.pretraining.processes import averaged
from zoo_cnn.pretraining.self_supervised import SelfSupervised
from zoo_cnn.pretraining.settings import DINOSettings
from zoo_cnn.pretraining.views import local_views, size_of_views, two_views


class DINO(SelfSupervised):
    """Match the teacher's distribution over prototypes, from every other view."""

    settings: DINOSettings

    def __init__(
        self, settings: DINOSettings, model: nn.Module, classes: tuple[str, ...], preprocessing: zoo.Preprocessing
    ) -> None:
        self.teacher = teacher_of(with_classes(model, 0).train())
        super().__init__(settings, model, classes, preprocessing, observed=self.teacher)
        size = self.observer.num_features, settings.projection_hidden, settings.projection_size
        self.student_head = PrototypeHead(*size, settings.prototypes).to(self.device)
        self.teacher_head = teacher_of(self.student_head)
        self.centre = Centre(settings.prototypes).to(self.device)
        self.local_size = size_of_views(self.model, preprocessing, settings.local_size)
        self.heads = {"head": self.student_head}
        self.followers = {"teacher": self.teacher, "teacher_head": self.teacher_head, "centre": self.centre}

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        settings = self.settings
        told, loss = self._loss(batch["images"], draws)
        yield zoo.Loss("model", loss)
        self.centre.move(told, settings.centre_momentum ** (1 / settings.accumulate))
        follow(self.teacher, self.model, settings.teacher_momentum, share=settings.accumulate)
        follow(self.teacher_head, self.student_head, settings.teacher_momentum, share=settings.accumulate)
        yield from self.observer.observe(batch)

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return what the observer says of the teacher's features, and the loss."""
        with zoo.evaluating(self.model, self.student_head, self.teacher_head):
            return self.observer.scores(batches, lambda images, draws: self._loss(images, draws)[1])

    def export(self) -> nn.Module:
        return self.teacher.eval().requires_grad_(True)

    def _loss(self, images: Tensor, draws: zoo.Draws) -> tuple[Tensor, Tensor]:
        """Return the teacher's outputs of the two global views, (2 batch, prototypes), and the mean loss."""
        settings, inputs = self.settings, self.preprocessing
        views = two_views(images, draws, settings, self.observer.size)
        with torch.no_grad():
            told = self.teacher_head(pooled(self.teacher, views, inputs)).float()
            targets = ((told - self.centre.values) / settings.teacher_temperature).softmax(1)
        seen = [pooled(self.model, views, inputs)]
        if settings.local_crops:
            area = (0.05, settings.local_area) if settings.local_area > 0.05 else (settings.local_area,) * 2
            parts = local_views(images, draws, settings, count=settings.local_crops, area=area, size=self.local_size)
            seen.append(pooled(self.model, parts, inputs))
        logs = (self.student_head(torch.cat(seen)).float() / settings.student_temperature).log_softmax(1)
        return (
            told,
            _cross_entropy(targets.view(2, len(images), -1), logs.view(-1, len(images), logs.shape[1])),
        )


class Centre(nn.Module):
    """The moving average of the teacher's outputs, which keeps one prototype from taking everything."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("values", torch.zeros(size))
        self.values: Tensor

    @torch.no_grad()
    def move(self, outputs: Tensor, momentum: float) -> None:
        """Move to the mean of these outputs (batch, size), over all processes."""
        self.values.lerp_(averaged(outputs.mean(0)), 1 - momentum)


def _cross_entropy(targets: Tensor, logs: Tensor) -> Tensor:
    """Return the mean over pairs of a target's view (first axis) and another view; both are (views, batch, size)."""
    pairs = -torch.einsum("tbk,sbk->ts", targets, logs) / targets.shape[1]
    same = torch.eye(*pairs.shape, dtype=torch.bool, device=pairs.device)
    return pairs.masked_fill(same, 0).sum() / (pairs.numel() - len(pairs))
