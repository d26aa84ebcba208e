"""Padding: the same on both sides, TensorFlow's "same", which with a stride pads less before than behind, or "behind".

The last is Keras's MobileNet: "same" as it is for maps of even sides, for all of them.
"""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

Padding = Literal["symmetric", "same", "behind"]


def convolution(
    inputs: int, outputs: int, kernel: int, stride: int, padding: Padding, *, groups: int = 1, bias: bool = False
) -> nn.Conv2d:
    """Return a convolution that a stride of 1 leaves the size to; without a stride all paddings are one."""
    if padding not in ("symmetric", "same", "behind"):
        raise ValueError(f"padding must be symmetric, same or behind, not {padding!r}")
    if padding != "symmetric" and stride > 1:
        kind = SameConv2d if padding == "same" else BehindConv2d
        return kind(inputs, outputs, kernel, stride, groups=groups, bias=bias)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=bias)


class SameConv2d(nn.Conv2d):
    """A convolution that gives `ceil(size / stride)`: what is missing for that is padded, the odd one behind."""

    def forward(self, x: Tensor) -> Tensor:
        missing = [
            max((-(-size // stride) - 1) * stride + kernel - size, 0)
            for size, kernel, stride in zip(x.shape[2:], self.kernel_size, self.stride, strict=True)
        ]
        (top, left) = (both // 2 for both in missing)
        return super().forward(F.pad(x, (left, missing[1] - left, top, missing[0] - top)))


class BehindConv2d(nn.Conv2d):
    """A convolution that pads behind alone: as much as "same" does where the stride is 2 and the sides are even."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = self.kernel_size
        return super().forward(F.pad(x, (0, width - 2, 0, height - 2)))
