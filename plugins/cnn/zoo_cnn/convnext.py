"""ConvNeXt (Liu et al., 2022): depthwise 7x7 convolutions, layer norm, an inverted bottleneck, layer scale.

As published: patches of 4x4 in, pooling before the last norm. With `conv_mlp`, which the sizes below tiny have, the
bottleneck's layers are 1x1 convolutions: the same numbers in other shapes.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_cnn.staged import Staged, drop_path, drop_path_rates

_EPS = 1e-6


class ConvNeXt(Staged):
    """Four stages of blocks; the first sees patches, each further one halves the map."""

    classifier_name = "head.fc"

    def __init__(
        self,
        *,
        depths: list[int],
        widths: list[int],
        conv_mlp: bool = False,
        channels: int = 3,
        num_classes: int = 1000,
        drop_path_rate: float = 0.0,
        head_norm_eps: float = _EPS,
    ) -> None:
        super().__init__()
        zoo.check_sizes(depths=depths, widths=widths, channels=channels)
        if not len(depths) == len(widths) == 4:
            raise ValueError(f"a ConvNeXt has 4 stages, not {len(depths)} depths and {len(widths)} widths")
        rates = iter(drop_path_rates(drop_path_rate, sum(depths)))
        self.stem = nn.Sequential(nn.Conv2d(channels, widths[0], kernel_size=4, stride=4), LayerNorm2d(widths[0], _EPS))
        self.stages = nn.Sequential()
        self.feature_info = []
        for place, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            inputs = widths[place - 1] if place else None
            self.stages.append(Stage(inputs, width, [next(rates) for _ in range(depth)], conv_mlp=conv_mlp))
            self.feature_info.append(zoo.FeatureInfo(width, 4 * 2**place, f"stages.{place}"))
        self.num_features = widths[-1]
        self.head = nn.Sequential(OrderedDict(norm=LayerNorm2d(self.num_features, head_norm_eps), fc=nn.Identity()))
        self.reset_classifier(num_classes)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def steps(self) -> Sequence[tuple[Callable[[Tensor], Tensor], bool]]:
        return [(self.stem, False), *((stage, True) for stage in self.stages)]

    def pool(self, x: Tensor) -> Tensor:
        norm = self.head.get_submodule("norm")
        pooled: Tensor = norm(x.mean((2, 3), keepdim=True)).flatten(1)
        return pooled

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        fine = [(r"^stages\.(\d+)\.downsample", (0,)), (r"^stages\.(\d+)\.blocks\.(\d+)", None)]
        return {"stem": r"^stem", "blocks": r"^stages\.(\d+)" if coarse else fine}


class Stage(nn.Module):
    """Halve the map where `inputs` are given, then refine it by one block for each rate."""

    def __init__(self, inputs: int | None, width: int, rates: list[float], *, conv_mlp: bool) -> None:
        super().__init__()
        self.downsample = (
            nn.Identity()
            if inputs is None
            else nn.Sequential(LayerNorm2d(inputs, _EPS), nn.Conv2d(inputs, width, kernel_size=2, stride=2))
        )
        self._smallest = 1 if inputs is None else 2  # what is halved without padding
        self.blocks = nn.Sequential(*(Block(width, rate, conv_mlp=conv_mlp) for rate in rates))

    def forward(self, x: Tensor) -> Tensor:
        if min(x.shape[2:]) < self._smallest:
            raise zoo.UsageError(
                "a ConvNeXt takes images of 32 pixels a side or more; pretrain with --arg image_size=32, finetune with "
                "--set image_size=32, or choose a ResNet"
            )
        refined: Tensor = self.blocks(self.downsample(x))
        return refined


class Block(nn.Module):
    """A depthwise convolution over space, then two layers over channels, scaled and added to the input."""

    def __init__(self, width: int, drop_path_rate: float, *, conv_mlp: bool) -> None:
        super().__init__()
        self.conv_mlp = conv_mlp
        self.conv_dw = nn.Conv2d(width, width, kernel_size=7, padding=3, groups=width)
        self.norm = (LayerNorm2d if conv_mlp else nn.LayerNorm)(width, _EPS)
        layer = PointwiseConvolution if conv_mlp else nn.Linear
        layers: dict[str, nn.Module] = {
            "fc1": layer(width, 4 * width),
            "act": nn.GELU(),
            "fc2": layer(4 * width, width),
        }
        self.mlp = nn.Sequential(OrderedDict(layers))
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))
        self.drop_path = drop_path(drop_path_rate)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.conv_dw(x)
        if self.conv_mlp:
            residual = self.mlp(self.norm(residual))
        else:
            residual = self.mlp(self.norm(residual.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        # scaled and added in one pass over memory
        return torch.addcmul(x, self.drop_path(residual), self.gamma.view(1, -1, 1, 1))


class PointwiseConvolution(nn.Conv2d):
    """A linear layer over the channels of a map."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, kernel_size=1)


class LayerNorm2d(nn.LayerNorm):
    """A layer norm over the channels of a map (batch, channels, height, width)."""

    def forward(self, x: Tensor) -> Tensor:
        channels_last = x.permute(0, 2, 3, 1)
        return F.layer_norm(channels_last, self.normalized_shape, self.weight, self.bias, self.eps).permute(0, 3, 1, 2)
