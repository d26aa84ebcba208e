"""Pretrain by the evidence lower bound (Kingma and Welling, ICLR 2014).

L = (-log p(x | z) + beta · sum_k max(free bits, KL(q(z_k | x) | N(0, 1)))) / pixels, with z drawn from q(z | x), whose
means and variances the encoder says. beta: Higgins et al., ICLR 2017; free bits, in the mean over a batch: Kingma et
al., NeurIPS 2016. Scores are the whole bound, whatever beta and free bits are: `elbo` in nats a picture. By
the squared error it is a density of values in [0, 1], and `bits_per_dimension` that of the 256 values they came from,
8 - elbo / (pixels · log 2) (Theis et al., ICLR 2016); binary cross-entropy is no likelihood of them, and has none.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_autoencoder.pretraining.reconstruction import Reconstruction
from zoo_autoencoder.pretraining.settings import VariationalSettings


class Variational(Reconstruction):
    """Maximise the evidence lower bound."""

    settings: VariationalSettings

    def __init__(
        self,
        settings: VariationalSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        if not callable(getattr(model, "posterior", None)):
            raise zoo.UsageError(
                f"a {type(model).__name__} has no mean and variance of codes; pretrain a variational_autoencoder"
            )
        super().__init__(settings, model, classes, preprocessing)

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images = batch["images"]
        likelihood, divergences = self._bound(images, draws)
        free = self.settings.free_bits * math.log(2)
        divergence = divergences.mean(0).clamp(min=free).sum()
        loss = (self.settings.beta * divergence - likelihood.mean()) / images[0].numel()
        metrics = {"elbo": (likelihood - divergences.sum(1)).mean().detach(), "divergence": divergence.detach()}
        yield zoo.Loss("model", loss, metrics=metrics)

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return the bound by one code a picture, the same every time, its two parts, and what reconstructions score.

        `active` is the share of the code's numbers that say more than a hundredth of a nat.
        """
        kept = list(batches)
        likelihoods, divergences = [], []
        with zoo.evaluating(self.model):
            for batch in kept:
                likelihood, divergence = self._bound(batch["images"], zoo.Draws(self.settings.seed, 0, batch["index"]))
                likelihoods.append(likelihood.double().cpu())
                divergences.append(divergence.double().cpu())
        every = torch.cat(divergences)
        elbo = float(torch.cat(likelihoods).mean() - every.sum(1).mean())
        pixels = kept[0]["images"][0].numel()
        return {
            "elbo": elbo,
            **({} if self._binary else {"bits_per_dimension": 8 - elbo / (pixels * math.log(2))}),
            "divergence": float(every.sum(1).mean()),
            "active": float((every.mean(0) > 0.01).double().mean()),
            **super().evaluate(kept),
        }

    @property
    def _binary(self) -> bool:
        return self.settings.loss == "binary_cross_entropy"

    def _bound(self, images: Tensor, draws: zoo.Draws) -> tuple[Tensor, Tensor]:
        """Return log p(x | z) in nats (batch,), and the divergence of each number of the code (batch, code_size)."""
        model = cast(Any, self.model)
        mean, log_variance = model.posterior(images)
        noise = draws.normal("code", mean.shape[1]).to(mean.dtype)
        logits = model.decode_logits(mean + (0.5 * log_variance).exp() * noise).float()
        divergences = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).float()
        if self._binary:
            likelihood = -F.binary_cross_entropy_with_logits(logits, images, reduction="none")
        else:
            deviation = self.settings.deviation
            away = (logits.sigmoid() - images) / deviation
            likelihood = -0.5 * away.square() - math.log(deviation * math.sqrt(2 * math.pi))
        return likelihood.flatten(1).sum(1), divergences
