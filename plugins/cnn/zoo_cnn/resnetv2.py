"""ResNet v2 (He et al., 2016b, "Identity mappings"): norm and activation come before each convolution.

The path beside the blocks is left as it is but for the last norm, behind all stages. A block strides in its 3x3
convolution, the first of each stage, as timm has it. As Keras Applications have it, from the authors' TensorFlow code,
`stride_last` strides in the last block of each stage but the last stage, `conv_bias` gives biases to the convolutions
that no norm follows at once, `zero_padded_pool` pads the map with zeros where it is pooled behind the stem, and
`norm_eps` is another.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_cnn.inverted import pointwise
from zoo_cnn.staged import Staged, drop_path, drop_path_rates


class ResNetV2(Staged):
    """Four stages of pre-activated bottlenecks after a stem of one convolution."""

    classifier_name = "head.fc"

    def __init__(
        self,
        *,
        depths: list[int],
        widths: list[int] = [64, 128, 256, 512],  # noqa: B006 (read alone, and config.json wants a list)
        channels: int = 3,
        num_classes: int = 1000,
        drop_path_rate: float = 0.0,
        stride_last: bool = False,
        conv_bias: bool = False,
        zero_padded_pool: bool = False,
        norm_eps: float = 1e-5,
    ) -> None:
        super().__init__()
        zoo.check_sizes(depths=depths, widths=widths, channels=channels)
        if not len(depths) == len(widths) == 4:
            raise ValueError(f"a ResNet has 4 stages, not {len(depths)} depths and {len(widths)} widths")
        style = Style(stride_last, conv_bias, norm_eps)
        stem = nn.Conv2d(channels, widths[0], kernel_size=7, stride=2, padding=3, bias=conv_bias)
        pool = nn.MaxPool2d(kernel_size=3, stride=2, padding=0 if zero_padded_pool else 1)
        pad = {"pad": nn.ZeroPad2d(1)} if zero_padded_pool else {}
        self.stem = nn.Sequential(OrderedDict[str, nn.Module](conv=stem, **pad, pool=pool))
        self.feature_info = [zoo.FeatureInfo(widths[0], 2, "stem.conv")]
        self.stages = nn.Sequential()
        rates = iter(drop_path_rates(drop_path_rate, sum(depths)))
        inputs, reduction = widths[0], 4
        for place, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            stride = 2 if place != (3 if stride_last else 0) else 1
            self.stages.append(Stage(inputs, width, depth, stride, rates, style))
            inputs, reduction = width * Bottleneck.expansion, reduction * stride
            self.feature_info.append(zoo.FeatureInfo(inputs, reduction, f"stages.{place}"))
        self.num_features = inputs
        self.norm = style.norm(inputs)
        self.head = nn.Sequential(OrderedDict(fc=nn.Identity()))
        _initialize(self)
        self.reset_classifier(num_classes)

    def steps(self) -> Sequence[tuple[Callable[[Tensor], Tensor], bool]]:
        return [
            (self.stem[0], True),
            (self.stem[1:], False),
            *((stage, True) for stage in self.stages),
            (self.end, False),
        ]

    def end(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(x))

    def make_classifier(self, num_classes: int) -> nn.Module:
        like = next(self.parameters())
        return PointwiseLinear(self.num_features, num_classes).to(like.device, like.dtype)

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        fine = [(r"^stages\.(\d+)\.blocks\.(\d+)", None), (r"^norm", (99999,))]
        return {"stem": r"^stem", "blocks": r"^stages\.(\d+)" if coarse else fine}


class PointwiseLinear(nn.Conv2d):
    """A linear layer, stored as the 1x1 convolution that timm has for it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, kernel_size=1)
        nn.init.normal_(self.weight, std=0.01)
        nn.init.zeros_(self.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return pointwise(self, x)


class Style(NamedTuple):
    """What the blocks of one network have in common."""

    stride_last: bool
    conv_bias: bool
    norm_eps: float

    def norm(self, width: int) -> nn.BatchNorm2d:
        """Return a batch norm."""
        return nn.BatchNorm2d(width, eps=self.norm_eps)


class Stage(nn.Module):
    """Blocks, of which the first widens the map, and the first or the last has the stride."""

    def __init__(self, inputs: int, width: int, depth: int, stride: int, rates: Iterator[float], style: Style) -> None:
        super().__init__()
        strided = depth - 1 if style.stride_last else 0
        self.blocks = nn.Sequential()
        for index in range(depth):
            step = stride if index == strided else 1
            self.blocks.append(Bottleneck(inputs, width, step, next(rates), style, widens=index == 0))
            inputs = width * Bottleneck.expansion

    def forward(self, x: Tensor) -> Tensor:
        refined: Tensor = self.blocks(x)
        return refined


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1, each behind a norm and an activation, beside what came in.

    The shortcut of the block that `widens` is a convolution of what the first norm gives; any other is what came in,
    of which a stride takes every second pixel.
    """

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, rate: float, style: Style, *, widens: bool) -> None:
        super().__init__()
        outputs, self.stride = width * self.expansion, stride
        if widens:
            beside = nn.Conv2d(inputs, outputs, kernel_size=1, stride=stride, bias=style.conv_bias)
            self.downsample: nn.Module | None = nn.Sequential(OrderedDict(conv=beside))
        else:
            self.downsample = None
        self.norm1 = style.norm(inputs)
        self.conv1 = nn.Conv2d(inputs, width, kernel_size=1, bias=False)
        self.norm2 = style.norm(width)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.norm3 = style.norm(width)
        self.conv3 = nn.Conv2d(width, outputs, kernel_size=1, bias=style.conv_bias)
        self.drop_path = drop_path(rate)

    def forward(self, x: Tensor) -> Tensor:
        activated = F.relu(self.norm1(x))
        if self.downsample is not None:
            x = self.downsample(activated)
        elif self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        residual = self.conv2(F.relu(self.norm2(self.conv1(activated))))
        residual = self.drop_path(self.conv3(F.relu(self.norm3(residual))))
        output: Tensor = residual + x
        return output


def _initialize(model: nn.Module) -> None:
    """Draw convolutions as He et al. (2015) do, and let every residual path start at zero."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in model.modules():
        if isinstance(module, Bottleneck):
            nn.init.zeros_(module.conv3.weight)
