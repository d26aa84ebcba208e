"""Use a segmenter: a mask of the file's size for each picture, drawn and put into words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.images.lettering import enlarged, with_legend
from zoo.data.masks.colours import class_legend, overlay
from zoo.tasks.segmentation.scores import likeliest
from zoo.weights.inputs import Preprocessing

if TYPE_CHECKING:
    from PIL.Image import Image

_SHOWN = 0.005
"""Classes of a smaller share of the picture stand neither in a table nor in a legend."""


class SegmentationPredictor:
    """Give each pixel of a file its likeliest class."""

    columns: tuple[str, ...] = ("classes",)

    def __init__(self, model: nn.Module, labels: tuple[str, ...], inputs: Preprocessing) -> None:
        self.model = model
        self.labels = labels

    @torch.no_grad()
    def __call__(self, images: Tensor, sizes: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
        """Return `mask`, uint8 (height, width) of the file, and `shares` of its pixels by class, the largest first."""
        logits = self.model(images).float()
        return [self._result(own, size) for own, size in zip(logits, sizes, strict=True)]

    def draw(self, picture: "Image", result: dict[str, Any]) -> "Image":
        """Lay the classes' colours over the picture, with their names below."""
        present = [self.labels.index(name) for name, share in result["shares"].items() if share >= _SHOWN]
        drawn, _ = enlarged(overlay(picture, result["mask"], self.labels))
        return with_legend(drawn, class_legend(self.labels, present))

    def row(self, result: dict[str, Any]) -> list[str]:
        """Return the classes with their shares of the picture, the largest first."""
        return [", ".join(f"{name} {share:.0%}" for name, share in result["shares"].items() if share >= _SHOWN)]

    def _result(self, logits: Tensor, size: Sequence[int]) -> dict[str, Any]:
        mask = likeliest(logits[None], size)[0].to(torch.uint8).cpu().numpy()
        shares = np.bincount(mask.ravel(), minlength=len(self.labels)) / mask.size
        order = [place for place in np.argsort(-shares, kind="stable").tolist() if shares[place]]
        return {"mask": mask, "shares": {self.labels[place]: round(float(shares[place]), 6) for place in order}}
