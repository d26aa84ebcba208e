"""ResNet (He et al., 2016), its "v1.5": a bottleneck strides in its 3x3 convolution, not in the first 1x1.

With `stride_in_1x1` it is the first version, as Keras Applications have it, with `conv_bias` and another `norm_eps`.
Differs from the textbook: the last batch norm of every residual path starts at zero (Goyal et al., 2017). With
`cifar_stem` the first convolution is 3x3 without stride and nothing is pooled before the first stage, for pictures of
32 pixels or so.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from torch import Tensor, nn

import zoo
from zoo_cnn.staged import Staged, drop_path, drop_path_rates

Shortcut = Callable[[int, int, int], nn.Module]
"""Makes the path beside a block from inputs, outputs and stride."""


class ResidualStages(Staged):
    """A stem of one convolution, and the residual stages `layer1`, `layer2` …"""

    conv1: nn.Module
    bn1: nn.Module
    act1: nn.Module

    def stem(self, x: Tensor) -> Tensor:
        features: Tensor = self.act1(self.bn1(self.conv1(x)))
        return features

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^conv1|^bn1", "blocks": r"^layer(\d+)" if coarse else r"^layer(\d+)\.(\d+)"}


class ResNet(ResidualStages):
    """Four stages of residual blocks after a stem; each stage but the first halves the map."""

    classifier_name = "fc"

    def __init__(
        self,
        *,
        block: Literal["basic", "bottleneck"] = "basic",
        depths: list[int],
        widths: list[int] = [64, 128, 256, 512],  # noqa: B006 (read alone, and config.json wants a list)
        channels: int = 3,
        num_classes: int = 1000,
        cifar_stem: bool = False,
        drop_path_rate: float = 0.0,
        conv_bias: bool = False,
        norm_eps: float = 1e-5,
        stride_in_1x1: bool = False,
    ) -> None:
        super().__init__()
        zoo.check_sizes(depths=depths, widths=widths, channels=channels)
        if not len(depths) == len(widths) == 4:
            raise ValueError(f"a ResNet has 4 stages, not {len(depths)} depths and {len(widths)} widths")
        if block not in ("basic", "bottleneck"):
            raise ValueError(f"block must be basic or bottleneck, not {block!r}")
        kind = Bottleneck if block == "bottleneck" else BasicBlock
        kernel, stride = (3, 1) if cifar_stem else (7, 2)
        style = Style(conv_bias, norm_eps, stride_in_1x1)
        self.conv1 = nn.Conv2d(channels, widths[0], kernel, stride, padding=kernel // 2, bias=conv_bias)
        self.bn1 = style.norm(widths[0])
        self.act1 = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if cifar_stem else nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.feature_info = [zoo.FeatureInfo(widths[0], 1 if cifar_stem else 2, "act1")]
        rates = iter(drop_path_rates(drop_path_rate, sum(depths)))
        inputs, reduction = widths[0], 1 if cifar_stem else 4
        for place, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
            stride = 1 if place == 1 else 2
            shortcut = partial(projection, style=style)
            layer = residual_stage(
                kind, inputs, width, depth, stride=stride, shortcut=shortcut, rates=rates, style=style
            )
            self.add_module(f"layer{place}", layer)
            inputs, reduction = width * kind.expansion, reduction * stride
            self.feature_info.append(zoo.FeatureInfo(inputs, reduction, f"layer{place}"))
        self.num_features = inputs
        initialize(self)
        self.reset_classifier(num_classes)

    def steps(self) -> Sequence[tuple[Callable[[Tensor], Tensor], bool]]:
        layers = [self.get_submodule(f"layer{place}") for place in (1, 2, 3, 4)]
        return [(self.stem, True), (self.maxpool, False), *((layer, True) for layer in layers)]


class Style(NamedTuple):
    """What the blocks of one network have in common."""

    conv_bias: bool = False
    norm_eps: float = 1e-5
    stride_in_1x1: bool = False

    def norm(self, width: int) -> nn.BatchNorm2d:
        """Return a batch norm."""
        return nn.BatchNorm2d(width, eps=self.norm_eps)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    expansion = 1

    def __init__(
        self,
        inputs: int,
        width: int,
        *,
        stride: int,
        shortcut: Shortcut,
        drop_path_rate: float,
        style: Style = Style(),  # noqa: B008 (it is never changed)
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, kernel_size=3, stride=stride, padding=1, bias=style.conv_bias)
        self.bn1 = style.norm(width)
        self.act1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=style.conv_bias)
        self.bn2 = style.norm(width)
        self.downsample = shortcut(inputs, width, stride)
        self.drop_path = drop_path(drop_path_rate)
        self.act2 = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.act1(self.bn1(self.conv1(x)))
        residual = self.drop_path(self.bn2(self.conv2(residual)))
        residual += self.downsample(x)
        output: Tensor = self.act2(residual)
        return output


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1, which narrow and widen, beside a shortcut."""

    expansion = 4

    def __init__(
        self,
        inputs: int,
        width: int,
        *,
        stride: int,
        shortcut: Shortcut,
        drop_path_rate: float,
        style: Style = Style(),  # noqa: B008 (it is never changed)
    ) -> None:
        super().__init__()
        outputs = width * self.expansion
        first, second = (stride, 1) if style.stride_in_1x1 else (1, stride)
        self.conv1 = nn.Conv2d(inputs, width, kernel_size=1, stride=first, bias=style.conv_bias)
        self.bn1 = style.norm(width)
        self.act1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, stride=second, padding=1, bias=style.conv_bias)
        self.bn2 = style.norm(width)
        self.act2 = nn.ReLU(inplace=True)
        self.conv3 = nn.Conv2d(width, outputs, kernel_size=1, bias=style.conv_bias)
        self.bn3 = style.norm(outputs)
        self.downsample = shortcut(inputs, outputs, stride)
        self.drop_path = drop_path(drop_path_rate)
        self.act3 = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.act1(self.bn1(self.conv1(x)))
        residual = self.act2(self.bn2(self.conv2(residual)))
        residual = self.drop_path(self.bn3(self.conv3(residual)))
        residual += self.downsample(x)
        output: Tensor = self.act3(residual)
        return output


def residual_stage(
    kind: type[BasicBlock] | type[Bottleneck],
    inputs: int,
    width: int,
    depth: int,
    *,
    stride: int,
    shortcut: Shortcut,
    rates: Iterator[float],
    style: Style = Style(),  # noqa: B008 (it is never changed)
) -> nn.Sequential:
    """Return `depth` blocks, the first with the stride, each with the next rate of stochastic depth."""
    blocks = []
    for index in range(depth):
        first = 1 if index else stride
        blocks.append(kind(inputs, width, stride=first, shortcut=shortcut, drop_path_rate=next(rates), style=style))
        inputs = width * kind.expansion
    return nn.Sequential(*blocks)


def projection(inputs: int, outputs: int, stride: int, style: Style = Style()) -> nn.Module:  # noqa: B008
    """Return a shortcut that is the identity where the shapes agree, and a strided 1x1 convolution elsewhere."""
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    convolution = nn.Conv2d(inputs, outputs, kernel_size=1, stride=stride, bias=style.conv_bias)
    return nn.Sequential(convolution, style.norm(outputs))


def initialize(model: nn.Module) -> None:
    """Draw convolutions as He et al. (2015) do, and let every residual path start at zero."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, (BasicBlock, Bottleneck)):
            nn.init.zeros_((module.bn3 if isinstance(module, Bottleneck) else module.bn2).weight)
