"""Where a classifier is weak: by class, by length or brightness, with intervals that few samples make wide."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z = 1.96
_FEWEST = 10
_PARTS = 4


@dataclass(frozen=True)
class Slice:
    """Samples that have something in common: how many, how many are right, and where their accuracy may lie (95 %).

    `weak` says that all of the interval lies below the accuracy over all samples.
    """

    name: str
    samples: int
    right: int
    low: float
    high: float
    weak: bool

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.right / self.samples


def wilson(right: int, samples: int, z: float = _Z) -> tuple[float, float]:
    """Return the interval of a share (Wilson, 1927)."""
    if samples == 0:
        return 0.0, 1.0
    share = right / samples
    middle = share + z * z / (2 * samples)
    width = z * math.sqrt(share * (1 - share) / samples + z * z / (4 * samples**2))
    whole = 1 + z * z / samples
    return max(0.0, (middle - width) / whole), min(1.0, (middle + width) / whole)


def slices(right: NDArray[np.bool_], groups: Mapping[str, NDArray[np.bool_]]) -> list[Slice]:
    """Return the slices of ten samples or more, the weakest first."""
    whole = float(right.mean()) if len(right) else 0.0
    found = []
    for name, inside in groups.items():
        samples, good = int(inside.sum()), int(right[inside].sum())
        if samples >= _FEWEST:
            low, high = wilson(good, samples)
            found.append(Slice(name, samples, good, low, high, high < whole))
    return sorted(found, key=lambda part: part.accuracy)


def by_class(labels: NDArray[np.int64], classes: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Return which samples are of each class."""
    return {name: labels == place for place, name in enumerate(classes)}


def by_size(name: str, values: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """Return which samples lie in each quarter of a figure; nothing where it is the same for most."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _PARTS + 1)))
    if len(edges) <= _PARTS:
        return {}
    parts = {}
    for place, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        last = place == len(edges) - 2
        inside = (values >= low) & ((values <= high) if last else (values < high))
        parts[f"{name} {low:.3g} to {high:.3g}"] = inside
    return parts
