"""The ResNets for CIFAR (He et al., 2016, section 4.2): three stages of 16, 32 and 64 channels, 6n + 2 layers.

Their shortcuts have no parameters ("option A"): the map is strided, and the new channels are zero.
"""

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_cnn.resnet import BasicBlock, ResidualStages, initialize, residual_stage
from zoo_cnn.staged import drop_path_rates


class CifarResNet(ResidualStages):
    """Three stages of `depth` residual blocks each, after a 3x3 convolution."""

    classifier_name = "fc"

    def __init__(
        self,
        *,
        depth: int,
        widths: list[int] = [16, 32, 64],  # noqa: B006 (read alone, and config.json wants a list)
        channels: int = 3,
        num_classes: int = 10,
        drop_path_rate: float = 0.0,
    ) -> None:
        super().__init__()
        zoo.check_sizes(depth=depth, widths=widths, channels=channels)
        if len(widths) != 3:
            raise ValueError(f"a CIFAR ResNet has 3 stages, not {len(widths)} widths")
        self.conv1 = nn.Conv2d(channels, widths[0], kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.act1 = nn.ReLU(inplace=True)
        self.feature_info = []
        rates = iter(drop_path_rates(drop_path_rate, 3 * depth))
        inputs = widths[0]
        for place, width in enumerate(widths, start=1):
            stride = 1 if place == 1 else 2
            layer = residual_stage(BasicBlock, inputs, width, depth, stride=stride, shortcut=ZeroPadding, rates=rates)
            self.add_module(f"layer{place}", layer)
            inputs = width
            self.feature_info.append(zoo.FeatureInfo(width, 2 ** (place - 1), f"layer{place}"))
        self.num_features = inputs
        initialize(self)
        self.reset_classifier(num_classes)

    def steps(self) -> Sequence[tuple[Callable[[Tensor], Tensor], bool]]:
        return [(self.stem, False), *((self.get_submodule(f"layer{place}"), True) for place in (1, 2, 3))]


class ZeroPadding(nn.Module):
    """A shortcut without parameters: every `stride`-th pixel, and as many zero channels before as after."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.before = (outputs - inputs) // 2
        self.after = outputs - inputs - self.before

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 1 and not self.after:
            return x
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.after))
