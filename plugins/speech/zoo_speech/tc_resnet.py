"""TC-ResNet (Choi et al., 2019): residual convolutions over time alone, to which mels are channels."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

import zoo

_KERNEL = 9
_WIDTHS = (16, 24, 32, 48)
_REDUCTIONS = (1, 2, 4, 8)


class _Block(nn.Module):
    def __init__(self, source: int, target: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(source, target, _KERNEL, stride, _KERNEL // 2, bias=False)
        self.norm1 = nn.BatchNorm1d(target)
        self.conv2 = nn.Conv1d(target, target, _KERNEL, 1, _KERNEL // 2, bias=False)
        self.norm2 = nn.BatchNorm1d(target)
        self.shortcut = (
            nn.Sequential(nn.Conv1d(source, target, 1, stride, bias=False), nn.BatchNorm1d(target), nn.ReLU())
            if source != target or stride != 1
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        found = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        return F.relu(found + self.shortcut(x))


class TCResNet(zoo.BackboneModule):
    """Log-mel spectrograms (batch, mels, frames) to features (batch, channels, an eighth of the frames).

    `blocks` of each of three stages, the first of which halves the frames: 1 is the paper's TC-ResNet8, 2 its
    TC-ResNet14. With `reduction` 1, 2 or 4 the last stages keep the frames, as letters over time need. Features are
    pooled over `segments` parts of the time, one behind the other.
    """

    def __init__(
        self,
        *,
        scale: float = 1.0,
        blocks: int = 1,
        mels: int = 40,
        segments: int = 1,
        reduction: int = 8,
        dropout: float = 0.5,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        zoo.check_sizes(blocks=blocks, mels=mels, segments=segments)
        if not scale > 0:
            raise ValueError(f"scale={scale}; give one above 0")
        if reduction not in _REDUCTIONS:
            raise ValueError(f"reduction={reduction}; give one of {', '.join(map(str, _REDUCTIONS))}")
        strides = [2 if 2**place < reduction else 1 for place in range(len(_WIDTHS) - 1)]
        first, *widths = (int(width * scale) for width in _WIDTHS)
        self.stem = nn.Conv1d(mels, first, 3, 1, 1, bias=False)
        self.stages = nn.ModuleList()
        self.feature_info = []
        source, reduced = first, 1
        for place, (target, stride) in enumerate(zip(widths, strides, strict=True)):
            stage = nn.Sequential(
                _Block(source, target, stride), *(_Block(target, target, 1) for _ in range(blocks - 1))
            )
            self.stages.append(stage)
            reduced *= stride
            self.feature_info.append(zoo.FeatureInfo(target, reduced, f"stages.{place}"))
            source = target
        self.dropout = nn.Dropout(dropout)
        self.segments = segments
        self.num_features = source * segments
        self.frame_features = source
        self.frame_steps = tuple((_KERNEL, stride, _KERNEL // 2) for stride in strides)
        self.reset_classifier(num_classes)

    def forward_intermediates(
        self, x: Tensor, indices: int | Sequence[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        """Return features and the map of every stage."""
        x = self.stem(x).relu()
        maps = []
        for stage in self.stages:
            x = self.run(stage, x)
            maps.append(x)
        chosen = zoo.ImageBackboneModule.choose(maps, indices)
        return chosen if intermediates_only else (x, chosen)

    def forward_features(self, x: Tensor) -> Tensor:
        features: Tensor = self.forward_intermediates(x)[0]
        return features

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        pooled = F.adaptive_avg_pool1d(x, self.segments).transpose(1, 2).flatten(1)
        if pre_logits or not self.num_classes:
            return pooled
        logits: Tensor = self.get_classifier()(self.dropout(pooled))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    def frame_vectors(self, x: Tensor) -> Tensor:
        """Return features over time, (batch, frames, frame_features)."""
        return self.forward_features(x).transpose(1, 2)

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^stem", "blocks": r"^stages\.(\d+)" if coarse else r"^stages\.(\d+)\.(\d+)"}
