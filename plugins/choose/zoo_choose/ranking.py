"""Put candidates in order, with intervals, and say which of them the data cannot tell apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo_choose.estimates import Estimate

_RESAMPLES = 1000
_LEVEL = 0.95


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
    draws = np.random.default_rng(seed).multinomial(right.shape[1], [1 / right.shape[1]] * right.shape[1], _RESAMPLES)
    scores = 100 * draws @ right.T / right.shape[1]  # (resamples, candidates)
    best = int(right.mean(1).argmax())
    tail = 100 * (1 - _LEVEL) / 2
    low, high = np.percentile(scores, [tail, 100 - tail], axis=0)
    behind = np.percentile(scores[:, [best]] - scores, tail, axis=0)
    found = [
        Ranked(estimate, float(low[place]), float(high[place]), place == best or bool(behind[place] <= 0))
        for place, estimate in enumerate(estimates)
    ]
    return sorted(
        found, key=lambda item: (not item.tied, item.estimate.seconds if item.tied else -item.estimate.probed.score)
    )
