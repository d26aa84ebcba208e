"""Draw scores against cost, and the front: what is better than all that costs less."""

from collections.abc import Sequence
from pathlib import Path

import zoo
from zoo_choose.ranking import Ranked


def draw(order: Sequence[Ranked], out: Path) -> None:
    """Write the picture."""
    by_cost = sorted(order, key=lambda item: item.estimate.seconds)
    front, best = [], float("-inf")
    for item in by_cost:
        if item.estimate.probed.score > best:
            best = item.estimate.probed.score
            front.append(item)
    with zoo.figure_at(out, 10, 6) as figure:
        axis = figure.add_subplot()
        for item in by_cost:
            score = item.estimate.probed.score
            colour = "#c8553d" if item is order[0] else "#35526b"
            axis.errorbar(
                item.estimate.seconds,
                score,
                [[score - item.low], [item.high - score]],
                fmt="o",
                color=colour,
                capsize=4,
            )
            axis.annotate(
                Path(item.name).name,
                (item.estimate.seconds, score),
                (8, 6),
                textcoords="offset points",
                parse_math=False,
            )
        axis.step(
            [item.estimate.seconds for item in front], [item.estimate.probed.score for item in front],
            where="post", color="#35526b", alpha=0.5,
        )  # fmt: skip
        axis.set_xscale("log")
        axis.margins(0.15)
        axis.set_xlabel("seconds an epoch of finetuning here")
        axis.set_ylabel("foretold accuracy, %, with its 95 % interval")
