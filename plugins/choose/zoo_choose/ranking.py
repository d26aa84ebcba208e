"""Put candidates in order, with intervals, and say which of them the data cannot tell apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_choose.estimates import Estimate

_RESAMPLES = 1000
_TAIL = 2.5


@dataclass(frozen=True)
class Ranked:
    """A candidate in its place. `low` and `high` bound its score, at 95 %, in percent.

    `tied` says that the samples cannot tell it from the one with the best score: of those the cheapest comes first.
    """

    estimate: Estimate
    low: float
    high: float
    tied: bool

    @property
    def name(self) -> str:
        """The weights' name."""
        return self.estimate.name


def ranked(estimates: Sequence[Estimate], seed: int) -> list[Ranked]:
    """Return candidates in order: those that may be the best, the cheapest first; then the others by score.

    Samples are drawn again with replacement, the same for all candidates, so that a difference is that of pairs. Tied
    with the best is what is within the interval of the difference to it.
    """
    right = np.stack([estimate.probed.right for estimate in estimates])
    scores = resampled(right, seed)
    best = int(right.mean(1).argmax())
    low, high = np.percentile(scores, [_TAIL, 100 - _TAIL], axis=0)
    behind = np.percentile(scores[:, [best]] - scores, _TAIL, axis=0)
    found = [
        Ranked(estimate, float(low[place]), float(high[place]), place == best or bool(behind[place] <= 0))
        for place, estimate in enumerate(estimates)
    ]
    return sorted(
        found, key=lambda item: (not item.tied, item.estimate.seconds if item.tied else -item.estimate.probed.score)
    )


def resampled(right: NDArray[Any], seed: int) -> NDArray[Any]:
    """Return scores in percent of (contenders, samples), samples drawn again a thousand times: (draws, contenders)."""
    count = right.shape[1]
    draws = np.random.default_rng(seed).multinomial(count, [1 / count] * count, _RESAMPLES)
    scores: NDArray[Any] = 100 * draws @ right.T / count
    return scores


def surely_behind(right: NDArray[Any], other: NDArray[Any], seed: int) -> bool:
    """Tell whether the samples show that what got `right` does worse than the other one, at 97.5 %."""
    scores = resampled(np.stack([other, right]), seed)
    return bool(np.percentile(scores[:, 0] - scores[:, 1], _TAIL) > 0)
