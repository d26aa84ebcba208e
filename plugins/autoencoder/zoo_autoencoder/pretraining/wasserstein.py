"""Pretrain a Wasserstein autoencoder by maximum mean discrepancy (Tolstikhin et al., ICLR 2018, algorithm 2).

L = l(x, f(x)) + d · MMD(e(x), z), with z standard normal and the kernel sum_s C_s / (C_s + |a - b|^2),
C_s = 2 · code size · s over the scales s. The unbiased estimator is taken over a batch, and may be below nothing.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

import zoo
from zoo_autoencoder.pretraining.autoencoding import coder_of, pixel_loss
from zoo_autoencoder.pretraining.reconstruction import Reconstruction
from zoo_autoencoder.pretraining.settings import WassersteinSettings

_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Wasserstein:
    """Minimise the error of reconstructions from codes that are together like standard normal ones."""

    def __init__(
        self,
        settings: WassersteinSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        self.settings = settings
        coder_of(model, "wasserstein")
        self.plain = Reconstruction(settings, model, classes, preprocessing)
        self.modules = self.plain.modules
        self.optimizers = self.plain.optimizers
        self.export = self.plain.export

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images, model = batch["images"], cast(Any, self.plain.model)
        code = model.encode(images)
        error = pixel_loss(model.decode_logits(code), images, self.settings)
        apart = discrepancy(code.flatten(1), draws.normal("prior", code[0].numel()).to(code.dtype))
        yield zoo.Loss("model", error + self.settings.discrepancy * apart, figures={"discrepancy": apart.detach()})

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return what reconstructions score, and the mean discrepancy of batches."""
        kept = list(batches)
        found = []
        model = cast(Any, self.plain.model)
        with zoo.evaluating(model):
            for batch in kept:
                code = model.embed(batch["images"])
                prior = zoo.Draws(self.settings.seed, 0, batch["index"]).normal("prior", code.shape[1])
                found.append(float(discrepancy(code, prior)))
        return {**self.plain.evaluate(kept), "discrepancy": sum(found) / len(found)}

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        return self.plain.pictures(batches, folder)


def discrepancy(first: Tensor, second: Tensor) -> Tensor:
    """Return the unbiased estimate of the maximum mean discrepancy of two batches (batch, code_size)."""
    count, size = first.shape
    within = _kernel(first, first, size).fill_diagonal_(0) + _kernel(second, second, size).fill_diagonal_(0)
    return within.sum() / max(1, count * (count - 1)) - 2 * _kernel(first, second, size).mean()


def _kernel(first: Tensor, second: Tensor, size: int) -> Tensor:
    squares = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist").square()
    return torch.stack([2 * size * scale / (2 * size * scale + squares) for scale in _SCALES]).sum(0)
