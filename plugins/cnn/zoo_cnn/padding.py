"""Padding: the same on both sides, or TensorFlow's "same", which with a stride pads less before than behind."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

Padding = Literal["symmetric", "same"]


def convolution(
    inputs: int, outputs: int, kernel: int, stride: int, padding: Padding, *, groups: int = 1, bias: bool = False
) -> nn.Conv2d:
    """Return a convolution that a stride of 1 leaves the size to; without a stride both paddings are one."""
    if padding not in ("symmetric", "same"):
        raise ValueError(f"padding must be symmetric or same, not {padding!r}")
    if padding == "same" and stride > 1:
        return SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=bias)
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
