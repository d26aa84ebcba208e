"""Pretrain by giving back what was seen: as it is, or through noise.

reconstruction: L = l(x, f(x)), with l the loss per pixel; Hinton and Salakhutdinov, Science 313, 2006.
denoising: L = l(x, f(c(x))), with c a random corruption; Vincent et al., ICML 2008. Differs: c not only adds noise and
hides whole parts (Pathak et al., CVPR 2016), it also cuts a part out and enlarges it, so that codes have to tell what
is seen wherever it lies, which helps classifiers.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

import zoo
from zoo_autoencoder.pretraining.autoencoding import (
    logits_of,
    optimizer_of,
    pictures,
    pixel_loss,
    scores,
    shown_samples,
)
from zoo_autoencoder.pretraining.settings import DenoisingSettings, ReconstructionSettings


class Reconstruction(zoo.OneNetwork):
    """Minimise the error between pictures and their reconstructions."""

    settings: ReconstructionSettings

    def __init__(
        self,
        settings: ReconstructionSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        super().__init__(settings, model, classes)

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


class Denoising(Reconstruction):
    """Minimise the error between pictures and what is made of their corrupted copies."""

    settings: DenoisingSettings

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images = batch["images"]
        yield zoo.Loss("model", self.loss(corrupted(images, self.settings, draws), images))

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Score what is made of corrupted pictures against the clean ones; the corruption is the same every time."""
        return scores(self.model, ((self._corrupted(batch), batch["images"]) for batch in batches))

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        kept = list(batches)
        return pictures(self.model, kept, folder, self.classes, corrupted=self._corrupted(shown_samples(kept)))

    def _corrupted(self, batch: zoo.Batch) -> Tensor:
        return corrupted(batch["images"], self.settings, zoo.Draws(self.settings.seed, 0, batch["index"]))


def corrupted(images: Tensor, settings: DenoisingSettings, draws: zoo.Draws) -> Tensor:
    """Return the pictures cut, covered in parts and noisy, each by its own draws; `images` itself stays."""
    if settings.crop_area < 1:
        images = zoo.random_resized_crop(images, draws, area=(settings.crop_area, 1.0))
    for place in range(settings.covered):
        images = zoo.random_erasing(images, draws.within(f"covered {place}"), probability=1.0, area=(0.05, 0.3))
    return zoo.add_noise(images, settings.noise, draws)
