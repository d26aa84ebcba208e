"""SimCLR (Chen et al., ICML 2020): two views of a picture attract each other, and repel all other pictures' views.

L = -mean over views i of log( exp(z_i z_j / t) / sum over k != i of exp(z_i z_k / t) ), NT-Xent, with j the other view
of the same picture, z = g(f(x)) of length 1 from the projection head g, and t the temperature. The sum goes over the
views of all processes.

Differs from the paper: AdamW, not LARS, since batches are small; blur is off unless asked for, as in its CIFAR-10 runs.
"""

from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_cnn.pretraining.backbone import pooled
from zoo_cnn.pretraining.heads import ProjectionHead
from zoo_cnn.pretraining.processes import gathered
from zoo_cnn.pretraining.self_supervised import SelfSupervised
from zoo_cnn.pretraining.settings import SimCLRSettings
from zoo_cnn.pretraining.views import two_views


class SimCLR(SelfSupervised):
    """Tell each picture's two views from those of all others in the batch."""

    settings: SimCLRSettings

    def __init__(
        self, settings: SimCLRSettings, model: nn.Module, classes: tuple[str, ...], preprocessing: zoo.Preprocessing
    ) -> None:
        if settings.batch_size // settings.accumulate < 2:
            raise zoo.UsageError(
                f"recipe simclr tells the pictures of a batch apart, and batch_size={settings.batch_size} with "
                f"accumulate={settings.accumulate} leaves one; set batch_size={2 * settings.accumulate} or more"
            )
        super().__init__(settings, model, classes, preprocessing)
        projector = ProjectionHead(self.observer.num_features, settings.projection_hidden, settings.projection_size)
        self.projector = projector.to(self.device)
        self.heads = {"projector": self.projector}

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images = batch["images"]
        views = self._projected(images, draws)
        everything, start = gathered(views)
        yield zoo.Loss("model", nt_xent(views, everything, start, self.settings.temperature))
        yield from self.observer.observe(batch)

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return what the observer says of the features, and the loss among the pictures of each batch."""

        def loss(images: Tensor, draws: zoo.Draws) -> Tensor:
            views = self._projected(images, draws)
            return nt_xent(views, views, 0, self.settings.temperature)

        with zoo.evaluating(self.projector):
            return self.observer.scores(batches, loss)

    def _projected(self, images: Tensor, draws: zoo.Draws) -> Tensor:
        """Return unit projections of two views of each picture, (batch, 2, size)."""
        features = pooled(self.model, two_views(images, draws, self.settings, self.observer.size), self.preprocessing)
        projected = F.normalize(self.projector(features).float(), dim=1)
        # a picture's views side by side, as processes gather them
        return projected.view(2, len(images), -1).transpose(0, 1)


def nt_xent(own: Tensor, everything: Tensor, start: int, temperature: float) -> Tensor:
    """Return the mean loss over own views (batch, 2, size), whose pictures are in everything from place `start` on."""
    rows, columns = own.flatten(0, 1), everything.flatten(0, 1)
    indices = torch.arange(len(rows), device=rows.device)
    cosines = rows @ columns.T / temperature
    themselves = torch.zeros_like(cosines, dtype=torch.bool)
    themselves[indices, indices + 2 * start] = True
    return F.cross_entropy(cosines.masked_fill(themselves, -torch.inf), (indices ^ 1) + 2 * start)
