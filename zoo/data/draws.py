"""Random numbers that belong to a sample and not to a batch.

Each number is a function of (seed, epoch, sample, name, place), by the finaliser of SplitMix64 (Steele et al., 2014)
over whole tensors. However samples are dealt out to batches, micro-batches and processes, each sees the same numbers;
nothing has to be kept to go on later, and CPU and GPU agree.
"""

import copy
import hashlib
import math
from functools import cache

import torch
from torch import Tensor

from zoo.seeds import derive

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_FIRST = 0xBF58476D1CE4E5B9 - (1 << 64)
_SECOND = 0x94D049BB133111EB - (1 << 64)


class Draws:
    """The draws of one batch, a row for each sample."""

    def __init__(self, seed: int, epoch: int, samples: Tensor) -> None:
        self._seed = seed
        self._epoch = epoch
        self._samples = samples
        self._keys: Tensor | None = None
        self._scope = ""

    def __len__(self) -> int:
        return len(self._samples)

    def within(self, scope: str) -> "Draws":
        """Return draws of the same samples whose names are other ones: for a second view, or one more layer."""
        scoped = copy.copy(self)
        scoped._scope = f"{self._scope}{scope}/"
        return scoped

    def uniform(self, name: str, *shape: int) -> Tensor:
        """Return floats in [0, 1) of shape (batch, *shape). Another name gives other numbers."""
        return self._bits(name, math.prod(shape)).bitwise_and_(0xFFFFFF).float().mul_(2.0**-24).view(len(self), *shape)

    def integers(self, name: str, low: int, high: int, *shape: int) -> Tensor:
        """Return integers from low to high - 1 of shape (batch, *shape), each as likely as the others to 1 in 2^23."""
        bits = _shifted(self._bits(name, math.prod(shape)), 40)
        return bits.mul_(high - low).bitwise_right_shift_(24).add_(low).view(len(self), *shape)

    def normal(self, name: str, *shape: int) -> Tensor:
        """Return standard normal floats of shape (batch, *shape), by Box and Muller (1958): two from every 64 bits."""
        count = math.prod(shape)
        bits = self._bits(name, (count + 1) // 2)
        # 1 - u lies in (0, 1], whose logarithm is finite
        radius = _shifted(bits, 40).float().mul_(-(2.0**-24)).add_(1).log_().mul_(-2).sqrt_()
        angle = bits.bitwise_and_(0xFFFFFF).float().mul_(2 * math.pi * 2.0**-24)
        both = torch.cat([angle.cos().mul_(radius), angle.sin().mul_(radius)], 1)
        return both[:, :count].reshape(len(self), *shape)

    def _bits(self, name: str, count: int) -> Tensor:
        """Return 64 random bits, as int64 of shape (batch, count)."""
        if self._keys is None:
            self._keys = _mix((self._samples + 1) * _GOLDEN + derive(self._seed, "samples", self._epoch))
        places = torch.arange(1, count + 1, device=self._keys.device) * _GOLDEN + _name(self._scope + name)
        return _mix(self._keys[:, None] + places)


@cache
def _name(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _mix(x: Tensor) -> Tensor:
    """Mix in place so that every bit of the input changes each bit of the output half of the time."""
    x.bitwise_xor_(_shifted(x, 30)).mul_(_FIRST)
    x.bitwise_xor_(_shifted(x, 27)).mul_(_SECOND)
    return x.bitwise_xor_(_shifted(x, 31))


def _shifted(x: Tensor, by: int) -> Tensor:
    """Shift right filling with zeros; int64 itself would copy its sign."""
    return (x >> by).bitwise_and_((1 << (64 - by)) - 1)
