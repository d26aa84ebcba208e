"""How many frames come of how many samples."""

from collections.abc import Iterable

from torch import Tensor


def frames_after(lengths: Tensor, steps: Iterable[tuple[int, int, int]]) -> Tensor:
    """Return how many frames convolutions make of lengths; `steps` are their kernel, stride and padding."""
    for kernel, stride, padding in steps:
        lengths = ((lengths + 2 * padding - kernel).div(stride, rounding_mode="floor") + 1).clamp(min=1)
    return lengths
