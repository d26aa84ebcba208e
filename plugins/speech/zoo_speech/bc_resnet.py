"""BC-ResNet (Kim et al., 2021): residual blocks over frequency and time whose time part is broadcast over frequency."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

import zoo

_BANDS = 5
_STAGES = ((1.0, 2, 1, 1), (1.5, 2, 2, 2), (2.0, 4, 2, 4), (2.5, 4, 1, 8))
"""Of each stage the width over the base, the blocks, the stride over frequency and the dilation over time."""
_SMALLEST = 8 * _BANDS


class _SubSpectralNorm(nn.Module):
    """Batch norm of five bands of frequency, each by itself (Chang et al., 2021)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels * _BANDS)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        bands: Tensor = self.norm(x.reshape(batch, channels * _BANDS, height // _BANDS, width))
        return bands.reshape(batch, channels, height, width)


class _Block(nn.Module):
    def __init__(self, source: int, target: int, stride: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.transition = source != target or stride != 1
        entry = [nn.Conv2d(source, target, 1, bias=False), nn.BatchNorm2d(target), nn.ReLU()] if self.transition else []
        self.frequency = nn.Sequential(
            *entry,
            nn.Conv2d(target, target, (3, 1), (stride, 1), (1, 0), groups=target, bias=False),
            _SubSpectralNorm(target),
        )
        self.time = nn.Sequential(
            nn.Conv2d(target, target, (1, 3), 1, (0, dilation), (1, dilation), groups=target, bias=False),
            nn.BatchNorm2d(target),
            nn.SiLU(),
            nn.Conv2d(target, target, 1),
            nn.Dropout2d(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        over_both = self.frequency(x)
        found: Tensor = over_both + self.time(over_both.mean(2, keepdim=True))
        return F.relu(found if self.transition else found + x)


class BCResNet(zoo.BackboneModule):
    """Log-mel spectrograms (batch, mels, frames) to features (batch, channels, frames), as many frames as came in.

    Features are pooled over `segments` parts of the time, one behind the other: 1 is the mean over all of it, and 4
    tell a word from the one that is said backwards.
    """

    def __init__(
        self, *, scale: float = 1.0, mels: int = 40, segments: int = 1, dropout: float = 0.1, num_classes: int = 0
    ) -> None:
        super().__init__()
        zoo.check_sizes(mels=mels, segments=segments)
        if mels % _SMALLEST or not scale > 0:
            raise ValueError(f"mels={mels} and scale={scale}; give a multiple of {_SMALLEST}, and a scale above 0")
        base = 8 * scale
        stem = int(2 * base)
        self.stem = nn.Sequential(nn.Conv2d(1, stem, 5, (2, 1), 2, bias=False), nn.BatchNorm2d(stem), nn.ReLU())
        self.stages = nn.ModuleList()
        self.feature_info = []
        source = stem
        for place, (width, blocks, stride, dilation) in enumerate(_STAGES):
            target = int(base * width)
            stage = nn.Sequential()
            for block in range(blocks):
                first = block == 0
                stage.append(_Block(source, target, stride if first else 1, dilation, dropout))
                source = target
            self.stages.append(stage)
            self.feature_info.append(zoo.FeatureInfo(target, 1, f"stages.{place}"))
        last = int(4 * base)
        self.tail = nn.Sequential(
            nn.Conv2d(source, source, (5, 5), padding=(0, 2), groups=source, bias=False),
            nn.Conv2d(source, last, 1, bias=False),
            nn.BatchNorm2d(last),
            nn.ReLU(),
        )
        self.feature_info.append(zoo.FeatureInfo(last, 1, "tail"))
        self.segments = segments
        self.num_features = last * segments
        self.frame_features, self.frame_steps = last, ()
        self.reset_classifier(num_classes)

    def forward_intermediates(
        self, x: Tensor, indices: int | Sequence[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        """Return features and maps, of which frequency is the mean."""
        x = self.stem(x[:, None])
        maps = []
        for stage in self.stages:
            x = self.run(stage, x)
            maps.append(x.mean(2))
        x = self.tail(x).mean(2)
        maps.append(x)
        chosen = zoo.ImageBackboneModule.choose(maps, indices)
        return chosen if intermediates_only else (x, chosen)

    def forward_features(self, x: Tensor) -> Tensor:
        features: Tensor = self.forward_intermediates(x)[0]
        return features

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        pooled = F.adaptive_avg_pool1d(x, self.segments).transpose(1, 2).flatten(1)
        logits: Tensor = pooled if pre_logits else self.get_classifier()(pooled)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    def frame_vectors(self, x: Tensor) -> Tensor:
        """Return features over time, (batch, frames, frame_features)."""
        return self.forward_features(x).transpose(1, 2)

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        if coarse:
            return {"stem": r"^stem", "blocks": [(r"^stages\.(\d+)", None), (r"^tail", (99_999,))]}
        return {"stem": r"^stem", "blocks": [(r"^stages\.(\d+)\.(\d+)", None), (r"^tail", (99_999,))]}
