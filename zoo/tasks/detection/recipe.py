"""Finetune any image backbone to find things in pictures: which they are, and where."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from zoo.data.draws import Draws
from zoo.data.images.normalize import normalize
from zoo.engine.recipe import Batch, Loss
from zoo.engine.samples import spread_samples
from zoo.tasks.detection.augmentation import augment_boxed
from zoo.tasks.detection.decode import Detections, find
from zoo.tasks.detection.loss import DetectionLoss, detection_loss
from zoo.tasks.detection.network import Detector, fitting_reductions
from zoo.tasks.detection.pictures import boxed_grid, precision_recall
from zoo.tasks.detection.scores import AveragePrecision
from zoo.tasks.detection.settings import ObjectDetectionSettings
from zoo.tasks.one_network import OneNetwork
from zoo.weights.inputs import Preprocessing

_SHOWN = 8


class ObjectDetection(OneNetwork):
    """A Detector on the backbone, trained by task-aligned assignment."""

    settings: ObjectDetectionSettings

    def __init__(
        self,
        settings: ObjectDetectionSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: Preprocessing,
    ) -> None:
        network = model if isinstance(model, Detector) else _on(model, settings, len(classes), preprocessing)
        super().__init__(settings, network, classes)
        self.preprocessing = preprocessing

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        settings = self.settings
        with torch.no_grad():
            images, boxes = augment_boxed(
                batch["images"],
                batch["boxes"],
                draws,
                flips=settings.flips,
                zoom=settings.zoom,
                colour=settings.colour,
            )
        loss = self._loss(images, boxes)[0]
        metrics = {"loss/classes": loss.classes / loss.count, "loss/boxes": loss.boxes / loss.count}
        yield Loss(
            "model", loss.total / loss.count, loss.count, {name: item.detach() for name, item in metrics.items()}
        )

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return average precision as pycocotools counts it, in the pixels of the pictures' files, and the loss."""
        precision, loss = self._precision(batches)
        return {**precision.scores(), "loss": loss}

    @torch.no_grad()
    def evaluate_each(self, batches: Iterable[Batch]) -> tuple[dict[str, float], list[dict[str, Any]]]:
        """Return the scores, and of each picture the boxes that were found, best first, beside those that there are."""
        precision, loss = self._precision(batches)
        return {**precision.scores(), "loss": loss}, precision.each()

    @torch.no_grad()
    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        kept = list(batches)
        precision, _ = self._precision(kept)
        shown, found, _ = next(self._found([spread_samples(kept, _SHOWN)[0]]))
        return [
            boxed_grid(shown["images"], found, shown["boxes"], self.classes, folder / "boxes.png"),
            precision_recall(precision.curves(), folder / "precision_recall.png"),
        ]

    def _loss(self, images: Tensor, boxes: Tensor) -> tuple[DetectionLoss, Tensor, Tensor]:
        logits, predicted = self.model(normalize(images, self.preprocessing))
        height, width = images.shape[2:]
        loss = detection_loss(logits, predicted, boxes, (height, width), self.model.pyramid.reductions)
        return loss, logits, predicted

    def _found(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Detections, DetectionLoss]]:
        """Yield batches, no larger than those of training, with what is found in them."""
        settings = self.settings
        self.model.eval()
        for whole in batches:
            for start in range(0, len(whole["images"]), settings.batch_size):
                batch = {name: tensor[start : start + settings.batch_size] for name, tensor in whole.items()}
                loss, logits, predicted = self._loss(batch["images"], batch["boxes"])
                height, width = batch["images"].shape[2:]
                found = find(
                    logits,
                    predicted,
                    (height, width),
                    self.model.pyramid.reductions,
                    score_threshold=settings.score_threshold,
                    nms_threshold=settings.nms_threshold,
                    most_boxes=settings.most_boxes,
                )
                yield batch, found, loss
        self.learner.train()

    def _precision(self, batches: Iterable[Batch]) -> tuple[AveragePrecision, float]:
        precision = AveragePrecision(self.classes, most_boxes=self.settings.most_boxes)
        total, weight = 0.0, 0.0
        for batch, found, loss in self._found(batches):
            total += float(loss.total)
            weight += float(loss.weight)
            _take_in(precision, batch, found)
        return precision, total / max(1.0, weight)


def _on(
    backbone: nn.Module, settings: ObjectDetectionSettings, num_classes: int, preprocessing: Preprocessing
) -> Detector:
    device = next(backbone.parameters()).device
    info = list(cast(Any, backbone).feature_info)
    reductions = list(settings.reductions) or fitting_reductions(info, preprocessing.image_size)
    network = Detector(backbone, num_classes, width=settings.width, depth=settings.depth, reductions=reductions)
    return network.to(device)


def _take_in(precision: AveragePrecision, batch: Batch, found: Detections) -> None:
    """Score a batch in the pixels of the files."""
    height, width = batch["images"].shape[2:]
    frame = torch.tensor([height, width])
    sizes = batch["sizes"].cpu() if "sizes" in batch else frame.expand(len(batch["images"]), 2)
    scale = (sizes / frame).flip(1).repeat(1, 2)[:, None]  # of left, top, right, bottom
    truth, boxes = batch["boxes"].cpu(), found.boxes.cpu() * scale
    truth = torch.cat([truth[..., :4] * scale, truth[..., 4:]], 2)
    rows = torch.cat([boxes, found.classes[..., None].cpu(), found.scores[..., None].cpu()], 2)
    for mine, true, (rows_of_file, columns_of_file) in zip(rows, truth, sizes.tolist(), strict=True):
        precision.add(
            mine[mine[:, 4] >= 0].numpy(), true[true[:, 4] >= 0].numpy(), (int(rows_of_file), int(columns_of_file))
        )
