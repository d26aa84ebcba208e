"""A pyramid head that gives each pixel a class (semantic FPN: Kirillov et al., 2019), on any backbone.

Differs from the textbook: the maps of all levels are scaled to the finest and added at once, where the paper has a
convolution for each doubling, and one convolution merges the sum. At a width of 64 a head then costs less than a
narrow backbone.
"""

from typing import Any, cast

import torch.nn.functional as F
from torch import Tensor, nn

from zoo.tasks.pyramid import FeaturePyramid, backbone_maps, convolution, stages_by_reduction


class Segmenter(nn.Module):
    """Logits of `num_classes` for every pixel.

    The maps of the backbone are merged at the size of the input over `finest`, a power of two. Finer maps are left
    out, since a convolution costs four times as much there; a level that the backbone lacks is made by the pyramid.
    """

    def __init__(
        self, backbone: nn.Module, num_classes: int, *, width: int = 64, finest: int = 4, dropout: float = 0.1
    ) -> None:
        super().__init__()
        if num_classes < 2:
            raise ValueError(f"segmentation needs two or more classes, not {num_classes}")
        info = cast(Any, backbone).feature_info
        coarsest = max(stages_by_reduction(info))
        self.arguments = {"width": width, "finest": finest, "dropout": dropout}
        self.num_classes = num_classes
        cast(Any, backbone).reset_classifier(0)
        self.backbone = backbone
        self.pyramid = FeaturePyramid(info, width=width, reductions=_doublings(min(finest, coarsest), coarsest))
        self.merge = convolution(width, width, 3)
        self.dropout = nn.Dropout2d(dropout)
        self.classifier = nn.Conv2d(width, num_classes, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (batch, num_classes, height, width), of the input's size."""
        height, width = images.shape[2:]
        maps = backbone_maps(self.backbone, images, self.pyramid.stages)
        finest, *coarser = [level.relu() for level in self.pyramid(maps, (height, width))]
        merged = sum((_scaled(level, finest.shape[2:]) for level in coarser), finest)
        logits = self.classifier(self.dropout(self.merge(merged).relu()))
        return _scaled(logits, (height, width))

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        cast(Any, self.backbone).set_grad_checkpointing(enable)


def _scaled(x: Tensor, size: Any) -> Tensor:
    return F.interpolate(x, tuple(size), mode="bilinear")


def _doublings(first: int, last: int) -> list[int]:
    return [first] if first >= last else [first, *_doublings(2 * first, last)]
