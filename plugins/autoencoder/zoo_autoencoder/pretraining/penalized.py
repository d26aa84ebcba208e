"""Pretrain by reconstruction with a penalty on the codes: that they are small, steady, or normal together.

sparse: L = l(x, f(x)) + s · mean |e(x)|, with e the encoder; Ranzato et al., NeurIPS 2007.
contractive: L = l(x, f(x)) + c · |de/dx|^2 / code size; Rifai et al., ICML 2011. The Jacobian is estimated by
|e(x + h v) - e(x)|^2 / h^2 along a random v, whose expectation it is for small h.
wasserstein: L = l(x, f(x)) + d · MMD(e(x), z), with z standard normal and the kernel sum_s C_s / (C_s + |a - b|^2),
C_s = 2 · code size · s over the scales s; Tolstikhin et al., ICLR 2018, algorithm 2. The unbiased estimator is taken
over a batch, and may be below nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

import zoo
from zoo_autoencoder.pretraining.autoencoding import coder_of, pixel_loss
from zoo_autoencoder.pretraining.reconstruction import Reconstruction
from zoo_autoencoder.pretraining.settings import (
    ContractiveSettings,
    ReconstructionSettings,
    SparseSettings,
    WassersteinSettings,
)

_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class PenalizedCodes(Reconstruction):
    """Minimise the error of reconstructions from codes, and `weight` times a penalty on them, called `figure`."""

    recipe: ClassVar[str]
    figure: ClassVar[str]

    def __init__(
        self,
        settings: ReconstructionSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        coder_of(model, self.recipe)
        super().__init__(settings, model, classes, preprocessing)

    @property
    def weight(self) -> float:
        """How much the penalty counts."""
        raise NotImplementedError

    def codes(self, images: Tensor, draws: zoo.Draws) -> tuple[Tensor, ...]:
        """Return the codes of images, and what else the penalty is told."""
        return (cast(Any, self.model).encode(images),)

    def penalty(self, code: Tensor, *others: Tensor) -> Tensor:
        """Return the penalty on codes."""
        raise NotImplementedError

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images = batch["images"]
        codes = self.codes(images, draws)
        error = pixel_loss(cast(Any, self.model).decode_logits(codes[0]), images, self.settings)
        penalty = self.penalty(*codes)
        yield zoo.Loss("model", error + self.weight * penalty, metrics={self.figure: penalty.detach()})


class Sparse(PenalizedCodes):
    """Most numbers of a code are small."""

    recipe = "sparse"
    figure = "code"
    settings: SparseSettings

    @property
    def weight(self) -> float:
        return self.settings.sparsity

    def penalty(self, code: Tensor, *others: Tensor) -> Tensor:
        return code.abs().mean()


class Contractive(PenalizedCodes):
    """Codes change little with the picture."""

    recipe = "contractive"
    figure = "jacobian"
    settings: ContractiveSettings

    @property
    def weight(self) -> float:
        return self.settings.contraction

    def codes(self, images: Tensor, draws: zoo.Draws) -> tuple[Tensor, ...]:
        directions = draws.normal("direction", *images.shape[1:]).to(images.dtype)
        # both in one pass, so that they share the statistics of batch norm
        both: Tensor = cast(Any, self.model).encode(torch.cat([images, images + self.settings.step * directions]))
        return both.chunk(2)

    def penalty(self, code: Tensor, *others: Tensor) -> Tensor:
        (moved,) = others
        return (moved - code).square().mean() / self.settings.step**2


class Wasserstein(PenalizedCodes):
    """Codes are together like standard normal ones."""

    recipe = "wasserstein"
    figure = "discrepancy"
    settings: WassersteinSettings

    @property
    def weight(self) -> float:
        return self.settings.discrepancy

    def codes(self, images: Tensor, draws: zoo.Draws) -> tuple[Tensor, ...]:
        (code,) = super().codes(images, draws)
        return code, draws.normal("prior", code[0].numel()).to(code.dtype)

    def penalty(self, code: Tensor, *others: Tensor) -> Tensor:
        (prior,) = others
        return discrepancy(code.flatten(1), prior)

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return what reconstructions score, and the mean discrepancy of batches."""
        kept = list(batches)
        found = []
        model = cast(Any, self.model)
        with zoo.evaluating(model):
            for batch in kept:
                code = model.embed(batch["images"])
                prior = zoo.Draws(self.settings.seed, 0, batch["index"]).normal("prior", code.shape[1])
                found.append(float(discrepancy(code, prior)))
        return {**super().evaluate(kept), "discrepancy": sum(found) / len(found)}


def discrepancy(first: Tensor, second: Tensor) -> Tensor:
    """Return the unbiased estimate of the maximum mean discrepancy of two batches (batch, code_size)."""
    count, size = first.shape
    within = _kernel(first, first, size).fill_diagonal_(0) + _kernel(second, second, size).fill_diagonal_(0)
    return within.sum() / max(1, count * (count - 1)) - 2 * _kernel(first, second, size).mean()


def _kernel(first: Tensor, second: Tensor, size: int) -> Tensor:
    squares = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist").square()
    return torch.stack([2 * size * scale / (2 * size * scale + squares) for scale in _SCALES]).sum(0)
