"""What the recipes share: the loss per pixel, the scores, the pictures, and which parameters learn."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_autoencoder.pretraining.settings import ReconstructionSettings

_SHOWN = 16


def optimizer_of(model: nn.Module, settings: zoo.TrainingSettings) -> torch.optim.Optimizer:
    """Make the optimizer of all but the head, which takes no part in this."""
    head = {id(parameter) for parameter in cast(Any, model).get_classifier().parameters()}
    parameters = [(name, item) for name, item in model.named_parameters() if id(item) not in head]
    groups = zoo.parameter_groups(model, settings, parameters=parameters)
    return zoo.make_optimizer(settings.optimizer, groups, settings)


def pixel_loss(logits: Tensor, targets: Tensor, settings: ReconstructionSettings) -> Tensor:
    """Return the mean loss per pixel."""
    if settings.loss == "binary_cross_entropy":
        return F.binary_cross_entropy_with_logits(logits, targets)
    return F.mse_loss(logits.sigmoid(), targets)


def logits_of(model: Any, images: Tensor) -> Tensor:
    """Return logits where the model has them; another plugin's autoencoder may have probabilities alone."""
    if callable(getattr(model, "reconstruct_logits", None)):
        logits: Tensor = model.reconstruct_logits(images)
        return logits
    return torch.logit(model.reconstruct(images), eps=1e-6)


def coder_of(model: nn.Module, recipe: str) -> Any:
    """Return the model. Raise UsageError unless it gives codes, and logits from codes."""
    if not all(callable(getattr(model, name, None)) for name in ("encode", "decode_logits")):
        raise zoo.UsageError(
            f"recipe {recipe!r} needs codes and logits from codes, which {type(model).__name__} does not give; "
            "pretrain it by reconstruction or denoising"
        )
    return model


def scores(model: nn.Module, pairs: Iterable[tuple[Tensor, Tensor]]) -> dict[str, float]:
    """Return means per pixel over pairs of what is seen and what is to be given back.

    Binary cross-entropy in nats, squared error, and PSNR in dB.
    """
    cross_entropy = squared_error = torch.zeros((), dtype=torch.float64)
    count = 0
    with zoo.evaluating(model):
        for inputs, targets in pairs:
            logits = logits_of(model, inputs)
            bce = F.binary_cross_entropy_with_logits(logits, targets)
            cross_entropy = cross_entropy + bce.double().cpu() * len(targets)
            squared_error = squared_error + F.mse_loss(logits.sigmoid(), targets).double().cpu() * len(targets)
            count += len(targets)
    mse = float(squared_error) / count
    psnr = float(-10 * torch.log10(torch.tensor(mse).clamp(min=1e-12)))
    return {"mse": mse, "bce": float(cross_entropy) / count, "psnr": psnr}


def shown_samples(batches: Sequence[zoo.Batch]) -> zoo.Batch:
    """Return the samples that are drawn."""
    return zoo.spread_samples(batches, _SHOWN)[0]


def pictures(
    model: nn.Module,
    batches: Iterable[zoo.Batch],
    folder: Path,
    classes: tuple[str, ...],
    *,
    seed: int = 0,
    corrupted: Tensor | None = None,
) -> list[Path]:
    """Draw reconstructions, and all else that the model can show. `corrupted` are those of `shown_samples`."""
    kept = list(batches)
    images = shown_samples(kept)["images"]
    shown = cast(Any, model)
    with zoo.evaluating(model):
        seen = images if corrupted is None else corrupted
        rows = [images, *([] if corrupted is None else [seen]), shown.reconstruct(seen)]
        captions = ("input", "output") if corrupted is None else ("clean", "corrupted", "output")
        drawn = [zoo.image_grid(rows, folder / "reconstructions.png", captions=captions)]
        if callable(getattr(shown, "interpolate", None)) and len(images) > 1:
            ends = len(images) // 2
            steps = shown.interpolate(images[:ends], images[ends : 2 * ends])
            drawn.append(zoo.image_grid(list(steps), folder / "interpolation.png"))
        if callable(getattr(shown, "sample", None)):
            new = shown.sample(64, generator=torch.Generator().manual_seed(seed))
            drawn.append(zoo.image_grid(list(new.chunk(4)), folder / "samples.png"))
        codes = torch.cat([shown.embed(batch["images"]) for batch in kept])
    known = [batch["labels"] for batch in kept if "labels" in batch and batch["labels"].ndim == 1]
    labels = torch.cat(known) if known and classes else None
    return [*drawn, zoo.feature_map(codes, folder / "codes.png", labels=labels, class_names=classes)]
