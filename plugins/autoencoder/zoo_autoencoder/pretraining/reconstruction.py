"""Pretrain by giving back what was seen: as it is, through noise, or with few or steady numbers in the code.

reconstruction: L = l(x, f(x)), with l the loss per pixel; Hinton and Salakhutdinov, Science 313, 2006.
denoising: L = l(x, f(c(x))), with c a random corruption; Vincent et al., ICML 2008. Differs: c not only adds noise and
hides whole parts (Pathak et al., CVPR 2016), it also cuts a part out and enlarges it, so that codes have to tell what
is seen wherever it lies, which helps classifiers.
sparse: L = l(x, f(x)) + s · mean |e(x)|, with e the encoder; Ranzato et al., NeurIPS 2007.
contractive: L = l(x, f(x)) + c · |de/dx|^2 / code size; Rifai et al., ICML 2011. The Jacobian is estimated by
|e(x + h v) - e(x)|^2 / h^2 along a random v, whose expectation it is for small h.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

import zoo
from zoo_autoencoder.pretraining.autoencoding import coder_of, logits_of, optimizer_of, pictures, pixel_loss, scores
from zoo_autoencoder.pretraining.settings import (
    ContractiveSettings,
    DenoisingSettings,
    ReconstructionSettings,
    SparseSettings,
)


class Reconstruction:
    """Minimise the error between pictures and their reconstructions."""

    def __init__(
        self,
        settings: ReconstructionSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        self.settings = settings
        self.classes = classes
        self.model = model.train()

    def modules(self) -> Mapping[str, nn.Module]:
        return {"model": self.model}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {"model": optimizer_of(self.model, self.settings)}

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images = batch["images"]
        yield zoo.Loss("model", self.loss(images, images))

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss per pixel."""
        return pixel_loss(logits_of(self.model, inputs), targets, self.settings)

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        return scores(self.model, ((batch["images"], batch["images"]) for batch in batches))

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        return pictures(self.model, batches, folder, self.classes, seed=self.settings.seed)

    def export(self) -> nn.Module:
        return self.model.eval()


class Denoising:
    """Minimise the error between pictures and what is made of their corrupted copies."""

    def __init__(
        self,
        settings: DenoisingSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        self.settings = settings
        self.plain = Reconstruction(settings, model, classes, preprocessing)
        self.modules = self.plain.modules
        self.optimizers = self.plain.optimizers
        self.export = self.plain.export

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images = batch["images"]
        yield zoo.Loss("model", self.plain.loss(corrupted(images, self.settings, draws), images))

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Score what is made of corrupted pictures against the clean ones; the corruption is the same every time."""
        return scores(self.plain.model, ((self._corrupted(batch), batch["images"]) for batch in batches))

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        kept = list(batches)
        return pictures(self.plain.model, kept, folder, self.plain.classes, corrupted=self._corrupted(kept[0]))

    def _corrupted(self, batch: zoo.Batch) -> Tensor:
        return corrupted(batch["images"], self.settings, zoo.Draws(self.settings.seed, 0, batch["index"]))


def corrupted(images: Tensor, settings: DenoisingSettings, draws: zoo.Draws) -> Tensor:
    """Return the pictures cut, covered in parts and noisy, each by its own draws; `images` itself stays."""
    if settings.crop_area < 1:
        images = zoo.random_resized_crop(images, draws, area=(settings.crop_area, 1.0))
    for place in range(settings.covered):
        images = zoo.random_erasing(images, draws.within(f"covered {place}"), probability=1.0, area=(0.05, 0.3))
    return zoo.add_noise(images, settings.noise, draws)


class Sparse:
    """Minimise the error of reconstructions from codes of which most numbers are small."""

    def __init__(
        self,
        settings: SparseSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        self.settings = settings
        coder_of(model, "sparse")
        self.plain = Reconstruction(settings, model, classes, preprocessing)
        self.modules = self.plain.modules
        self.optimizers = self.plain.optimizers
        self.evaluate = self.plain.evaluate
        self.pictures = self.plain.pictures
        self.export = self.plain.export

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images, model = batch["images"], cast(Any, self.plain.model)
        code = model.encode(images)
        error = pixel_loss(model.decode_logits(code), images, self.settings)
        size = code.abs().mean()
        yield zoo.Loss("model", error + self.settings.sparsity * size, figures={"code": size.detach()})


class Contractive:
    """Minimise the error of reconstructions from codes that change little with the picture."""

    def __init__(
        self,
        settings: ContractiveSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        self.settings = settings
        coder_of(model, "contractive")
        self.plain = Reconstruction(settings, model, classes, preprocessing)
        self.modules = self.plain.modules
        self.optimizers = self.plain.optimizers
        self.evaluate = self.plain.evaluate
        self.pictures = self.plain.pictures
        self.export = self.plain.export

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images, model, step = batch["images"], cast(Any, self.plain.model), self.settings.step
        directions = draws.normal("direction", *images.shape[1:]).to(images.dtype)
        # both in one pass, so that they share the statistics of batch norm
        codes = model.encode(torch.cat([images, images + step * directions]))
        code, moved = codes.chunk(2)
        error = pixel_loss(model.decode_logits(code), images, self.settings)
        jacobian = (moved - code).square().mean() / step**2
        yield zoo.Loss("model", error + self.settings.contraction * jacobian, figures={"jacobian": jacobian.detach()})
