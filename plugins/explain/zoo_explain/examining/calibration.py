"""Whether a classifier is as often right as it says, and the temperature that mends it where it is not."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

BINS = 15
_LOW, _HIGH = math.log(0.02), math.log(50)


@dataclass(frozen=True)
class Calibration:
    """Expected calibration errors as they are and with the temperature, and bins `(confidence, accuracy, share)`.

    The temperature is fitted on all samples; the error with it is that of each half by the temperature of the other.
    """

    ece: float
    ece_after: float
    temperature: float
    bins: list[tuple[float, float, float]]
    bins_after: list[tuple[float, float, float]]


def calibration(logits: Tensor, labels: Tensor, seed: int = 0) -> Calibration:
    """Measure the calibration of logits (samples, classes) of which one class each is right."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    halves = order.chunk(2)
    after = torch.zeros_like(logits)
    for own, other in zip(halves, reversed(halves), strict=True):
        after[own] = logits[own] / temperature(logits[other], labels[other])
    before, mended = (reliability(one, labels) for one in (logits, after))
    return Calibration(error(before), error(mended), temperature(logits, labels), before, mended)


def temperature(logits: Tensor, labels: Tensor) -> float:
    """Return by what logits are to be divided, so that cross-entropy is least (Guo et al., 2017).

    Over its logarithm cross-entropy has one low point, which is closed in on by golden sections.
    """
    logits = logits.double()
    ratio = (math.sqrt(5) - 1) / 2
    low, high = _LOW, _HIGH

    def loss(logarithm: float) -> float:
        return float(F.cross_entropy(logits / math.exp(logarithm), labels))

    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > 1e-4:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = loss(right)
    return math.exp((low + high) / 2)


def reliability(logits: Tensor, labels: Tensor) -> list[tuple[float, float, float]]:
    """Return mean confidence, accuracy and share of the samples in each of 15 bins of equal width that has any."""
    confidence, said = logits.double().softmax(1).max(1)
    right = (said == labels).double()
    places = (confidence * BINS).ceil().long().clamp(1, BINS)
    found = []
    for place in range(1, BINS + 1):
        inside = places == place
        if bool(inside.any()):
            share = float(inside.double().mean())
            found.append((float(confidence[inside].mean()), float(right[inside].mean()), share))
    return found


def error(bins: list[tuple[float, float, float]]) -> float:
    """Return the expected calibration error: the mean distance of accuracy from confidence (Naeini et al., 2015)."""
    return sum(share * abs(accuracy - confidence) for confidence, accuracy, share in bins)
