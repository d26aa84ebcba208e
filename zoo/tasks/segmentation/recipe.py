"""Finetune any image backbone to say for each pixel which class it shows."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.data.augmentation.colour import change_brightness, change_contrast, change_saturation
from zoo.data.augmentation.masks import random_flip_together, random_scale_crop
from zoo.data.draws import Draws
from zoo.data.images.normalize import normalize
from zoo.engine.pictures import bar_chart
from zoo.engine.recipe import Batch, Loss
from zoo.engine.samples import spread_samples
from zoo.tasks.one_network import OneNetwork
from zoo.tasks.segmentation.losses import counted_pixels, dice_loss, pixel_cross_entropy
from zoo.tasks.segmentation.network import Segmenter
from zoo.tasks.segmentation.pictures import class_scores, prediction_grid
from zoo.tasks.segmentation.run_lengths import run_lengths
from zoo.tasks.segmentation.scores import confusion, likeliest, segmentation_scores
from zoo.tasks.segmentation.settings import ImageSegmentationSettings
from zoo.weights.inputs import Preprocessing

_SHOWN = 6


class ImageSegmentation(OneNetwork):
    """Cross-entropy and Dice over the pixels that count, of a pyramid head on the backbone."""

    settings: ImageSegmentationSettings

    def __init__(
        self,
        settings: ImageSegmentationSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: Preprocessing,
    ) -> None:
        network = model if isinstance(model, Segmenter) else _on(model, settings, len(classes))
        super().__init__(settings, network, classes)
        self.preprocessing = preprocessing

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        images, masks = self._augmented(batch["images"], batch["masks"], draws)
        # Sums over so many pixels need full precision
        logits = self.model(normalize(images, self.preprocessing)).float()
        loss = pixel_cross_entropy(logits, masks, label_smoothing=self.settings.label_smoothing)
        if self.settings.dice:
            loss = loss + self.settings.dice * dice_loss(logits, masks)
        yield Loss("model", loss, counted_pixels(masks))

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the scores at the sizes that masks have, to which logits are scaled as for predictions.

        `sizes` of a batch are those that its masks had before they were filled up to one.
        """
        counts = self._no_counts()
        for _ in self._compared(batches, counts):
            pass
        return segmentation_scores(counts, self.classes)

    @torch.no_grad()
    def evaluate_each(self, batches: Iterable[Batch]) -> tuple[dict[str, float], list[dict[str, Any]]]:
        """Return the scores, and of each picture the masks that were predicted and those that there are.

        They are as COCO writes them: `size`, height and width, and by class the lengths of runs outside and inside,
        down the columns. Pixels that do not count are `void`.
        """
        counts = self._no_counts()
        rows: list[dict[str, Any]] = []
        for predicted, masks in self._compared(batches, counts):
            for mine, true in zip(predicted.cpu(), masks.cpu(), strict=True):
                said = {"masks": run_lengths(mine, self.classes), "reference": run_lengths(true, self.classes)}
                rows.append({"size": list(true.shape), **said})
        return segmentation_scores(counts, self.classes), rows

    @torch.no_grad()
    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        kept: list[Batch] = []

        def passing() -> Iterator[Batch]:
            for batch in batches:
                kept.append(_shown(batch))
                yield batch

        scores = self.evaluate(passing())
        few, _ = spread_samples(kept, _SHOWN)
        images, masks = few["images"], few["masks"]
        predicted = likeliest(self._logits(images), masks.shape[1:])
        return [
            prediction_grid(images, masks, predicted, self.classes, folder / "predictions.png"),
            bar_chart(class_scores(scores), folder / "classes.png", title=f"IoU, mean {scores['miou']:.3f}"),
        ]

    def _augmented(self, images: Tensor, masks: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        settings = self.settings
        if (settings.scale_low, settings.scale_high) != (1, 1):
            scale = (settings.scale_low, settings.scale_high)
            images, masks = random_scale_crop(images, masks, draws, scale=scale)
        if settings.flip:
            images, masks = random_flip_together(images, masks, draws)
        if settings.colour:
            amounts = (draws.uniform("colour", 3) * 2 - 1) * settings.colour
            images = change_brightness(images, amounts[:, 0])
            images = change_contrast(images, amounts[:, 1])
            images = change_saturation(images, amounts[:, 2])
        return images, masks

    def _no_counts(self) -> Tensor:
        return torch.zeros(len(self.classes), len(self.classes), dtype=torch.int64)

    def _compared(self, batches: Iterable[Batch], counts: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield what is predicted beside the masks, of one size, and add to `counts` what was taken for what."""
        for batch in batches:
            for logits, masks in self._scored(batch):
                predicted = likeliest(logits, masks.shape[1:])
                counts += confusion(predicted, masks, len(self.classes)).cpu()
                yield predicted, masks

    def _scored(self, batch: Batch) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield logits and masks of one size; in parts, since both may be larger than what a training step holds."""
        parts = (
            torch.split(batch[name], self.settings.batch_size) for name in ("images", "masks", "sizes") if name in batch
        )
        for images, masks, *sizes in zip(*parts, strict=True):
            logits = self._logits(images)
            if not sizes:
                yield logits, masks
                continue
            for row, (height, width) in enumerate(sizes[0].tolist()):
                yield logits[row : row + 1], masks[row : row + 1, :height, :width]

    def _logits(self, images: Tensor) -> Tensor:
        self.model.eval()
        logits: Tensor = self.model(normalize(images, self.preprocessing))
        self.learner.train()
        return logits.float()


def _shown(batch: Batch) -> Batch:
    """Return what pictures are drawn of: masks of different sizes in that of the images."""
    if "sizes" not in batch:
        return batch
    size = batch["images"].shape[2:]
    scaled = [
        F.interpolate(mask[None, None, :height, :width], size, mode="nearest-exact")[0, 0]
        for mask, (height, width) in zip(batch["masks"], batch["sizes"].tolist(), strict=True)
    ]
    return {**batch, "masks": torch.stack(scaled)}


def _on(backbone: nn.Module, settings: ImageSegmentationSettings, num_classes: int) -> Segmenter:
    device = next(backbone.parameters()).device
    network = Segmenter(backbone, num_classes, width=settings.width, finest=settings.finest, dropout=settings.dropout)
    return network.to(device)
