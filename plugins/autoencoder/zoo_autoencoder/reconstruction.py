"""Pretrain by giving back what was seen, clean or through noise.

reconstruction: L(x, f(x)), per pixel; Hinton and Salakhutdinov, Science 313, 2006.
denoising: L(x, f(x + noise)); Vincent et al., ICML 2008.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_autoencoder.settings import DenoisingSettings, ReconstructionSettings


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
        self.model = model.train()

    def modules(self) -> Mapping[str, nn.Module]:
        return {"model": self.model}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        # the head takes no part in this
        head = {id(parameter) for parameter in cast(Any, self.model).get_classifier().parameters()}
        parameters = [(name, item) for name, item in self.model.named_parameters() if id(item) not in head]
        groups = zoo.parameter_groups(self.model, self.settings, parameters=parameters)
        return {"model": zoo.make_optimizer(self.settings.optimizer, groups, self.settings)}

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images = batch["images"]
        yield zoo.Loss("model", self.loss(images, images))

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss per pixel."""
        logits = _logits(self.model, inputs)
        if self.settings.loss == "binary_cross_entropy":
            return F.binary_cross_entropy_with_logits(logits, targets)
        return F.mse_loss(logits.sigmoid(), targets)

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        return _scores((self.model, batch["images"], batch["images"]) for batch in batches)

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        images = next(iter(batches))["images"][:16]
        rows = [images, _reconstruct(self.model, images)]
        return [zoo.image_grid(rows, folder / "reconstructions.png", captions=("input", "output"))]

    def export(self) -> nn.Module:
        return self.model.eval()


class Denoising:
    """Minimise the error between pictures and reconstructions of their noisy copies."""

    def __init__(
        self,
        settings: DenoisingSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        self.settings = settings
        self.plain = Reconstruction(settings, model, classes, preprocessing)

    def modules(self) -> Mapping[str, nn.Module]:
        return self.plain.modules()

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        return self.plain.optimizers()

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images = batch["images"]
        yield zoo.Loss("model", self.plain.loss(zoo.add_noise(images, self.settings.noise, draws), images))

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Score the reconstructions of noisy pictures against the clean ones; the noise is the same every time."""
        model = self.plain.model
        return _scores((model, self._noisy(batch), batch["images"]) for batch in batches)

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        batch = next(iter(batches))
        images, noisy = batch["images"][:16], self._noisy(batch)[:16]
        rows = [images, noisy, _reconstruct(self.plain.model, noisy)]
        return [zoo.image_grid(rows, folder / "reconstructions.png", captions=("clean", "noisy", "output"))]

    def export(self) -> nn.Module:
        return self.plain.export()

    def _noisy(self, batch: zoo.Batch) -> Tensor:
        return zoo.add_noise(batch["images"], self.settings.noise, zoo.Draws(self.settings.seed, 0, batch["index"]))


def _logits(model: Any, images: Tensor) -> Tensor:
    """Return logits where the model has them; another plugin's autoencoder may have probabilities alone."""
    if callable(getattr(model, "reconstruct_logits", None)):
        logits: Tensor = model.reconstruct_logits(images)
        return logits
    return torch.logit(model.reconstruct(images), eps=1e-6)


@torch.no_grad()
def _reconstruct(model: Any, images: Tensor) -> Tensor:
    was_training = model.training
    outputs: Tensor = model.eval().reconstruct(images)
    model.train(was_training)
    return outputs


@torch.no_grad()
def _scores(batches: Iterable[tuple[Any, Tensor, Tensor]]) -> dict[str, float]:
    """Return means per pixel over all samples: binary cross-entropy (nats), squared error, PSNR (dB)."""
    cross_entropy = squared_error = torch.zeros((), dtype=torch.float64)
    count = 0
    for model, inputs, targets in batches:
        was_training = model.training
        logits = _logits(model.eval(), inputs)
        model.train(was_training)
        bce = F.binary_cross_entropy_with_logits(logits, targets)
        cross_entropy = cross_entropy + bce.double().cpu() * len(targets)
        squared_error = squared_error + F.mse_loss(logits.sigmoid(), targets).double().cpu() * len(targets)
        count += len(targets)
    mse = float(squared_error) / count
    psnr = float(-10 * torch.log10(torch.tensor(mse).clamp(min=1e-12)))
    return {"mse": mse, "bce": float(cross_entropy) / count, "psnr": psnr}
