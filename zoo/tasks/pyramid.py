"""A feature pyramid over the stages of any backbone (Lin et al., 2017): maps of one width, coarse meaning in each.

Differs from the textbook: group norm (Wu and He, 2018) after every convolution, so that it trains from random weights
and with tiny batches; levels that the backbone lacks are made, coarser ones by strided convolutions, finer ones from
the level above alone.
"""

import math
from collections.abc import Sequence
from typing import Any, cast

import torch.nn.functional as F
from torch import Tensor, nn

from zoo.specs.backbones import FeatureInfo


class FeaturePyramid(nn.Module):
    """Turn the maps of a backbone's `stages` into one map of `width` channels for each of `reductions`, finest first.

    A reduction is a power of two; its map has `ceil(height / reduction)` rows. Where several stages have the same, the
    last of them counts. Where all are coarser than the backbone, its last map is averaged to the finest of them.
    """

    def __init__(self, feature_info: Sequence[FeatureInfo], *, width: int, reductions: Sequence[int]) -> None:
        super().__init__()
        if width < 1 or not _doubles(reductions):
            raise ValueError(
                f"width must be 1 or more and reductions powers of two that double, such as 8, 16, 32; "
                f"not {width} and {list(reductions)}"
            )
        found = stages_by_reduction(feature_info)
        sources = {reduction: found[reduction] for reduction in reductions if reduction in found}
        self._averaged = 1
        if not sources and reductions[0] > max(found):
            sources = {reductions[0]: found[max(found)]}
            self._averaged = reductions[0] // max(found)
        if not sources:
            raise ValueError(f"the backbone has maps of {sorted(found)}, none of the reductions {list(reductions)}")
        self.width = width
        self.reductions = tuple(reductions)
        self.stages = list(sources.values())
        """Which maps of the backbone are taken: the `indices` of its `forward_intermediates`."""
        self._sources = list(sources)
        coarsest = max(sources)
        self.laterals = nn.ModuleList(convolution(feature_info[stage].channels, width, 1) for stage in self.stages)
        self.outputs = nn.ModuleList(convolution(width, width, 3) for level in reductions if level <= coarsest)
        self.coarser = nn.ModuleList(convolution(width, width, 3, stride=2) for level in reductions if level > coarsest)

    def forward(self, maps: Sequence[Tensor], image_size: tuple[int, int]) -> list[Tensor]:
        """Return a map for each reduction. `maps` are those of `stages`, `image_size` is height and width."""
        found = {
            reduction: lateral(x if self._averaged == 1 else F.avg_pool2d(x, self._averaged, ceil_mode=True))
            for reduction, lateral, x in zip(self._sources, self.laterals, maps, strict=True)
        }
        levels: list[Tensor] = []
        above: Tensor | None = None
        inner = self.reductions[: len(self.outputs)]
        for reduction, output in zip(reversed(inner), reversed(self.outputs), strict=True):
            size = map_size(image_size, reduction)
            parts = [_scaled(x, size) for x in (found.get(reduction), above) if x is not None]
            above = parts[0] if len(parts) == 1 else parts[0] + parts[1]
            levels.insert(0, output(above))
        for step in self.coarser:
            levels.append(step(levels[-1].relu()))
        return levels


def stages_by_reduction(feature_info: Sequence[FeatureInfo]) -> dict[int, int]:
    """Return the last stage of each reduction, finest first; a reduction of 14, say, counts as 16."""
    found = {2 ** round(math.log2(info.reduction)): stage for stage, info in enumerate(feature_info)}
    return dict(sorted(found.items()))


def map_size(image_size: tuple[int, int], reduction: int) -> tuple[int, int]:
    """Return the rows and columns of a map."""
    height, width = image_size
    return -(-height // reduction), -(-width // reduction)


def convolution(inputs: int, outputs: int, kernel: int, *, stride: int = 1) -> nn.Sequential:
    """Return a convolution and its group norm, of eight channels a group where they divide so."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_uniform_(conv.weight, a=1)
    return nn.Sequential(conv, nn.GroupNorm(outputs // 8 if outputs % 8 == 0 else 1, outputs))


def backbone_maps(backbone: nn.Module, images: Tensor, stages: Sequence[int]) -> list[Tensor]:
    """Return the maps of these stages, (batch, channels, rows, columns) each."""
    maps = cast(Any, backbone).forward_intermediates(images, indices=list(stages), intermediates_only=True)
    return list(maps)


def _scaled(x: Tensor, size: tuple[int, int]) -> Tensor:
    return x if tuple(x.shape[2:]) == size else F.interpolate(x, size, mode="nearest")


def _doubles(reductions: Sequence[int]) -> bool:
    """Tell whether these are a power of two, twice that, and so on."""
    if not reductions or reductions[0] < 1 or reductions[0] & (reductions[0] - 1):
        return False
    return all(coarse == 2 * fine for fine, coarse in zip(reductions, reductions[1:], strict=False))
