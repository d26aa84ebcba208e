"""ResNet-18 (He et al., 2015) for small pictures: a 3×3 stem without pooling. It has what a backbone must, no more."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


class ResNet18(nn.Module):
    def __init__(self, *, num_classes: int = 10, channels: int = 3) -> None:
        super().__init__()
        self.stem = nn.Sequential(convolution(channels, 64), nn.ReLU(inplace=True))
        widths = (64, 64, 128, 256, 512)
        blocks = []
        for stage, (before, after) in enumerate(zip(widths, widths[1:], strict=False)):
            blocks += [Block(before, after, stride=1 if stage == 0 else 2), Block(after, after)]
        self.blocks = nn.Sequential(*blocks)
        self.num_features = widths[-1]
        self.reset_classifier(num_classes)

    def forward_features(self, x: Tensor) -> Tensor:
        return self.blocks(self.stem(x))

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        pooled = x.mean((2, 3))
        return pooled if pre_logits else self.head(pooled)

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    def get_classifier(self) -> nn.Module:
        return self.head

    def reset_classifier(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.head = nn.Linear(self.num_features, num_classes)

    def no_weight_decay(self) -> set[str]:
        return set()

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^stem", "blocks": r"^blocks\.(\d+)"}


class Block(nn.Module):
    """Two 3×3 convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, stride=stride)
        self.second = convolution(outputs, outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else convolution(inputs, outputs, kernel_size=1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def convolution(inputs: int, outputs: int, *, kernel_size: int = 3, stride: int = 1) -> nn.Sequential:
    """Return a convolution that keeps the size, and batch norm."""
    layer = nn.Conv2d(inputs, outputs, kernel_size, stride, padding=kernel_size // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs))
