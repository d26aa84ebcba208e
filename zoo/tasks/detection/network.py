"""FCOS (Tian et al., 2019): every place of a feature pyramid says what it lies in, and how far the sides are.

Differs from the paper: no centre-ness; the score itself learns how well the box fits (Li et al., 2020). Distances are
exponentials in units of the level's reduction, so that every level starts with boxes of a size that suits it.
"""

import math
from typing import Any, cast

import torch
from torch import Tensor, nn

from zoo.specs.backbones import FeatureInfo
from zoo.tasks.pyramid import FeaturePyramid, backbone_maps, convolution, map_size, stages_by_reduction

_PRIOR = 0.01
_FIRST_SIDE = 2.0
"""How far the sides are at first, in reductions."""
_LARGEST_LOGARITHM = 6.0
_FINE = 8
_MOST_FINE_PLACES = 64 * 64


class Detector(nn.Module):
    """Two towers of `depth` convolutions, shared by all levels, over a pyramid of `width` channels.

    `reductions` are the pyramid's levels; None takes the backbone's last three and one coarser than these.
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int,
        *,
        width: int = 64,
        depth: int = 2,
        reductions: list[int] | None = None,
    ) -> None:
        super().__init__()
        info: list[FeatureInfo] = list(cast(Any, backbone).feature_info)
        reductions = reductions or default_reductions(info)
        cast(Any, backbone).reset_classifier(0)
        self.backbone = backbone
        self.num_classes = num_classes
        self.arguments: dict[str, Any] = {"width": width, "depth": depth, "reductions": reductions}
        self.pyramid = FeaturePyramid(info, width=width, reductions=reductions)
        self.class_tower, self.box_tower = _tower(width, depth), _tower(width, depth)
        self.class_output = nn.Conv2d(width, num_classes, 3, padding=1)
        self.box_output = nn.Conv2d(width, 4, 3, padding=1)
        self.scales = nn.Parameter(torch.ones(len(reductions)))
        for output, bias in ((self.class_output, -math.log(1 / _PRIOR - 1)), (self.box_output, math.log(_FIRST_SIDE))):
            nn.init.normal_(output.weight, std=0.01)
            nn.init.constant_(cast(Tensor, output.bias), bias)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (batch, places, classes) and boxes in pixels (batch, places, 4), the finest level first."""
        height, width = images.shape[2:]
        levels = self.pyramid(backbone_maps(self.backbone, images, self.pyramid.stages), (height, width))
        logits, sides = [], []
        for place, level in enumerate(levels):
            logits.append(self.class_output(self.class_tower(level)).flatten(2))
            sides.append(self.scales[place] * self.box_output(self.box_tower(level)).flatten(2))
        # In full precision: half of it cannot tell the pixels of a large picture apart
        logarithms = torch.cat(sides, 2).transpose(1, 2).float().clamp(max=_LARGEST_LOGARITHM)
        points, reductions = locations((height, width), self.pyramid.reductions, images.device)
        sides_in_pixels = logarithms.exp() * reductions[:, None]
        boxes = torch.cat([points - sides_in_pixels[..., :2], points + sides_in_pixels[..., 2:]], 2)
        return torch.cat(logits, 2).transpose(1, 2).float(), boxes

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        cast(Any, self.backbone).set_grad_checkpointing(enable)


def default_reductions(feature_info: list[FeatureInfo]) -> list[int]:
    """Return the last three reductions of a backbone, and one coarser."""
    coarsest = max(stages_by_reduction(feature_info))
    finest = min(reduction for reduction in stages_by_reduction(feature_info) if reduction * 4 >= coarsest)
    return [2**power for power in range(finest.bit_length() - 1, coarsest.bit_length() + 1)]


def fitting_reductions(feature_info: list[FeatureInfo], image_size: tuple[int, int]) -> list[int]:
    """Return the default levels as far as they suit images of this size.

    Levels finer than 8 are for small images: with more than 64 x 64 places they cost gigabytes. Those that are coarser
    than the image say nothing that the one before does not.
    """
    levels = default_reductions(feature_info)
    while levels[0] < _FINE and math.prod(map_size(image_size, levels[0])) > _MOST_FINE_PLACES:
        levels = [2 * level for level in levels]
    return [level for level in levels if level <= max(image_size)] or levels[:1]


def locations(image_size: tuple[int, int], reductions: tuple[int, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the centres x, y of all places (places, 2) in pixels, and the reduction of the level of each (places,)."""
    points, sizes = [], []
    for reduction in reductions:
        rows, columns = map_size(image_size, reduction)
        y = (torch.arange(rows, device=device) + 0.5) * reduction
        x = (torch.arange(columns, device=device) + 0.5) * reduction
        points.append(torch.stack([x.expand(rows, columns), y[:, None].expand(rows, columns)], 2).flatten(0, 1))
        sizes.append(torch.full((rows * columns,), float(reduction), device=device))
    return torch.cat(points), torch.cat(sizes)


def _tower(width: int, depth: int) -> nn.Sequential:
    return nn.Sequential(*(nn.Sequential(convolution(width, width, 3), nn.ReLU(inplace=True)) for _ in range(depth)))
