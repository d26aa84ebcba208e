"""Inverted residual blocks (Sandler et al., 2018) with squeeze-and-excitation (Hu et al., 2018), as rows of a table."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_cnn.padding import Padding, convolution
from zoo_cnn.staged import drop_path, drop_path_rates

Activation = Callable[..., nn.Module]


class Row(NamedTuple):
    """`repeats` blocks, the first with `stride`. Without expansion the first 1x1 convolution is left out.

    A row with kernel 1 is a plain 1x1 convolution. `activation` replaces the network's own in these blocks.
    """

    repeats: int
    kernel: int
    stride: int
    expansion: float
    width: int
    squeeze: bool
    activation: Activation | None = None


@dataclass(frozen=True, kw_only=True)
class Style:
    """What the blocks of one network have in common.

    `squeezed` gives the width inside squeeze-and-excitation from a block's inputs and its expanded width. `plain` are
    MobileNet's first blocks: without expansion, an activation behind the 1x1 convolution, and no shortcut.
    """

    activation: Activation
    squeezed: Callable[[int, int], int]
    squeeze_activation: Activation
    gate: Activation
    norm_eps: float = 1e-5
    norm_momentum: float = 0.1
    padding: Padding = "symmetric"
    plain: bool = False

    def norm(self, width: int) -> nn.BatchNorm2d:
        """Return a batch norm."""
        return nn.BatchNorm2d(width, eps=self.norm_eps, momentum=self.norm_momentum)


def rates_of(table: Iterable[Iterable[Row]], drop_path_rate: float) -> list[float]:
    """Return a rate of stochastic depth for each block of a table: of `n` the last one has `(n - 1) / n` of the rate.

    As the authors' TensorFlow code, torchvision and timm do in these networks, and in no other.
    """
    count = sum(row.repeats for rows in table for row in rows)
    return drop_path_rates(drop_path_rate, count + 1)[:-1]


def make_stages(
    table: Iterable[Iterable[Row]], inputs: int, scale: Callable[[int], int], rates: Iterable[float], style: Style
) -> nn.Sequential:
    """Return the stages of a table; `scale` turns a row's width into channels."""
    stages = nn.Sequential()
    rates = iter(rates)
    for rows in table:
        blocks = nn.Sequential()
        for row in rows:
            for index in range(row.repeats):
                stride = 1 if index else row.stride
                outputs = scale(row.width)
                blocks.append(_block(row, inputs, outputs, stride, next(rates), style))
                inputs = outputs
        stages.append(blocks)
    return stages


def _block(row: Row, inputs: int, outputs: int, stride: int, rate: float, style: Style) -> nn.Module:
    activation = row.activation or style.activation
    if row.kernel == 1:
        return Pointwise(inputs, outputs, activation, style)
    if row.expansion == 1:
        return DepthwiseSeparable(inputs, outputs, row, stride, rate, activation, style)
    return InvertedResidual(inputs, outputs, row, stride, rate, activation, style)


class Pointwise(nn.Module):
    """A 1x1 convolution, batch norm, activation."""

    def __init__(self, inputs: int, outputs: int, activation: Activation, style: Style) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size=1, bias=False)
        self.bn1 = style.norm(outputs)
        self.act = activation(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.act(self.bn1(self.conv(x)))
        return output


class DepthwiseSeparable(nn.Module):
    """A depthwise convolution, then a 1x1 convolution, beside a shortcut where shapes agree; or `plain`."""

    def __init__(
        self, inputs: int, outputs: int, row: Row, stride: int, rate: float, activation: Activation, style: Style
    ) -> None:
        super().__init__()
        self.shortcut = stride == 1 and inputs == outputs and not style.plain
        self.conv_dw = _depthwise(inputs, row.kernel, stride, style)
        self.bn1 = style.norm(inputs)
        self.act1 = activation(inplace=True)
        self.se = SqueezeExcite(inputs, style.squeezed(inputs, inputs), style) if row.squeeze else nn.Identity()
        self.conv_pw = nn.Conv2d(inputs, outputs, kernel_size=1, bias=False)
        self.bn2 = style.norm(outputs)
        self.act2 = activation(inplace=True) if style.plain else nn.Identity()
        self.drop_path = drop_path(rate)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.se(self.act1(self.bn1(self.conv_dw(x))))
        output = self.act2(self.bn2(self.conv_pw(output)))
        return self.drop_path(output) + x if self.shortcut else output


class InvertedResidual(nn.Module):
    """Widen by a 1x1 convolution, look around by a depthwise one, narrow again; a shortcut where shapes agree."""

    def __init__(
        self, inputs: int, outputs: int, row: Row, stride: int, rate: float, activation: Activation, style: Style
    ) -> None:
        super().__init__()
        expanded = rounded(inputs * row.expansion)
        self.shortcut = stride == 1 and inputs == outputs
        self.conv_pw = nn.Conv2d(inputs, expanded, kernel_size=1, bias=False)
        self.bn1 = style.norm(expanded)
        self.act1 = activation(inplace=True)
        self.conv_dw = _depthwise(expanded, row.kernel, stride, style)
        self.bn2 = style.norm(expanded)
        self.act2 = activation(inplace=True)
        self.se = SqueezeExcite(expanded, style.squeezed(inputs, expanded), style) if row.squeeze else nn.Identity()
        self.conv_pwl = nn.Conv2d(expanded, outputs, kernel_size=1, bias=False)
        self.bn3 = style.norm(outputs)
        self.drop_path = drop_path(rate)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.act1(self.bn1(self.conv_pw(x)))
        output = self.se(self.act2(self.bn2(self.conv_dw(output))))
        output = self.bn3(self.conv_pwl(output))
        return self.drop_path(output) + x if self.shortcut else output


class SqueezeExcite(nn.Module):
    """Weigh the channels of a map by what two 1x1 convolutions make of its mean."""

    def __init__(self, width: int, squeezed: int, style: Style) -> None:
        super().__init__()
        self.conv_reduce = nn.Conv2d(width, squeezed, kernel_size=1)
        self.act1 = style.squeeze_activation(inplace=True)
        self.conv_expand = nn.Conv2d(squeezed, width, kernel_size=1)
        self.gate = style.gate()

    def forward(self, x: Tensor) -> Tensor:
        weights = self.act1(pointwise(self.conv_reduce, x.mean((2, 3))))
        weighed: Tensor = x * self.gate(pointwise(self.conv_expand, weights))[:, :, None, None]
        return weighed


def pointwise(convolution: nn.Conv2d, pooled: Tensor) -> Tensor:
    """Apply a 1x1 convolution to a map of one pixel: a linear layer, which is faster."""
    return F.linear(pooled, convolution.weight.flatten(1), convolution.bias)


def _depthwise(width: int, kernel: int, stride: int, style: Style) -> nn.Conv2d:
    return convolution(width, width, kernel, stride, style.padding, groups=width)


def rounded(width: float, divisor: int = 8) -> int:
    """Return the nearest multiple of `divisor`, at least one of it, and never less than nine tenths of the width."""
    nearest = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * width else nearest


def outputs_of(
    stem: int, table: Sequence[Sequence[Row]], scale: Callable[[int], int]
) -> list[tuple[zoo.FeatureInfo, bool]]:
    """Describe the map of the stem and of each stage, with whether it is the last one of its size."""
    reduction = 2
    found = [zoo.FeatureInfo(stem, reduction, "act1")]
    for place, rows in enumerate(table):
        reduction *= math.prod(row.stride for row in rows)
        found.append(zoo.FeatureInfo(scale(rows[-1].width), reduction, f"blocks.{place}"))
    following = [*(info.reduction for info in found[1:]), None]
    return [(info, info.reduction != after) for info, after in zip(found, following, strict=True)]


def initialize(model: nn.Module) -> None:
    """Draw weights by the fan-out, as the authors' TensorFlow code does."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.out_channels * module.kernel_size[0] * module.kernel_size[1] // module.groups
            nn.init.normal_(module.weight, 0, (2 / fan_out) ** 0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            bound = module.out_features**-0.5
            nn.init.uniform_(module.weight, -bound, bound)
            nn.init.zeros_(module.bias)
