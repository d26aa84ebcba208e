"""VGG (Simonyan and Zisserman, 2015): 3x3 convolutions alone, the map halved between its five stages.

Behind them are two wide layers, which hold most of the numbers: the first sees a map of `map_size`, and is a
convolution over it. A larger map gives it several places, of which the head takes the mean, as timm has it; a smaller
one is stretched to `map_size`, and with `fixed_map` so is every other, as torchvision does. without `hidden_size`
there are none. `norm` puts batch norm behind each convolution.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_cnn.inverted import pointwise
from zoo_cnn.staged import Staged


class VGG(Staged):
    """Five stages of convolutions, each but the last followed by the next one's pooling, then two wide layers."""

    classifier_name = "head.fc"

    def __init__(
        self,
        *,
        depths: list[int],
        widths: list[int] = [64, 128, 256, 512, 512],  # noqa: B006 (read alone, and config.json wants a list)
        norm: bool = False,
        hidden_size: int | None = 4096,
        map_size: list[int] = [7, 7],  # noqa: B006
        fixed_map: bool = False,
        channels: int = 3,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        zoo.check_sizes(
            depths=depths,
            widths=widths,
            map_size=map_size,
            channels=channels,
            hidden_size=1 if hidden_size is None else hidden_size,
        )
        if not len(depths) == len(widths) == 5 or len(map_size) != 2:
            raise ValueError(
                f"a VGG has 5 stages and a map of 2 sides, not {len(depths)} depths, {len(widths)} widths and "
                f"{len(map_size)} sides"
            )
        layers: list[nn.Module] = []
        self.feature_info, self.ends, inputs = [], [0], channels
        for place, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            layers += [nn.MaxPool2d(kernel_size=2, stride=2)] if place else []
            for _ in range(depth):
                layers.append(nn.Conv2d(inputs, width, kernel_size=3, padding=1))
                layers += [nn.BatchNorm2d(width)] if norm else []
                layers.append(nn.ReLU(inplace=True))
                inputs = width
            self._end(layers, width, 2**place)
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        self._end(layers, inputs, 32)
        self.features = nn.Sequential(*layers)
        self.pre_logits = WideLayers(inputs, hidden_size, map_size, fixed_map) if hidden_size else None
        self.num_features = hidden_size or inputs
        self.head = nn.Sequential(OrderedDict(fc=nn.Identity()))
        _initialize(self)
        self.reset_classifier(num_classes)

    def _end(self, layers: list[nn.Module], width: int, reduction: int) -> None:
        self.ends.append(len(layers))
        self.feature_info.append(zoo.FeatureInfo(width, reduction, f"features.{len(layers) - 1}"))

    def steps(self) -> Sequence[tuple[Callable[[Tensor], Tensor], bool]]:
        return [(self.features[start:end], True) for start, end in zip(self.ends, self.ends[1:], strict=False)]

    def pool(self, x: Tensor) -> Tensor:
        pooled: Tensor = x.mean((2, 3)) if self.pre_logits is None else self.pre_logits(x)
        return pooled

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^features\.0", "blocks": r"^features\.(\d+)"}


class WideLayers(nn.Module):
    """Two layers of one width, the first over a whole map, and the mean where a larger map has several places."""

    def __init__(self, inputs: int, width: int, map_size: list[int], fixed_map: bool) -> None:
        super().__init__()
        self.fixed_map = fixed_map
        self.fc1 = nn.Conv2d(inputs, width, kernel_size=(map_size[0], map_size[1]))
        self.act1 = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(width, width, kernel_size=1)
        self.act2 = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        height, width = self.fc1.kernel_size
        if not self.fixed_map:
            height, width = max(height, x.shape[2]), max(width, x.shape[3])
        x = F.adaptive_avg_pool2d(x, (height, width))
        wide: Tensor
        if (height, width) == self.fc1.kernel_size:  # one place: linear layers, which are faster
            wide = self.act2(pointwise(self.fc2, self.act1(pointwise(self.fc1, x.flatten(1)))))
        else:
            wide = self.act2(self.fc2(self.act1(self.fc1(x)))).mean((2, 3))
        return wide


def _initialize(model: nn.Module) -> None:
    """Draw convolutions as He et al. (2015) do, as torchvision and timm."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
