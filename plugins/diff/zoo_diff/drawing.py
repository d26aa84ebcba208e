"""Draw which tensors changed, by how much, and how the sizes of the changes are distributed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import zoo
from zoo_diff.comparison import TensorChange
from zoo_diff.numbers import DECADES

MOST_ROWS = 40
_LONGEST_NAME = 42


def draw(changes: Sequence[TensorChange], out: Path) -> int:
    """Write a picture of the tensors that changed most, in the order of the file; return how many are drawn."""
    measured = [(change, change.numbers) for change in changes if change.numbers is not None]
    most = sorted(measured, key=lambda item: -(item[1].relative or item[1].norm))[:MOST_ROWS]
    kept = {change.name for change, _ in most}
    rows = [(change, numbers) for change, numbers in measured if change.name in kept]
    with zoo.figure_at(out, 12, 1.8 + 0.3 * max(len(rows), 3)) as figure:
        bars, sizes = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.2))
        for row, (_, numbers) in enumerate(rows):
            if numbers.relative:
                bars.plot(numbers.relative, row, "o", color="#35526b")
            else:
                bars.annotate("all 0 before", (0.02, row), xycoords=("axes fraction", "data"), va="center")
        bars.set_xscale("log")
        bars.grid(axis="x")
        bars.set_yticks(range(len(rows)), [_shortened(change.name) for change, _ in rows], parse_math=False)
        bars.invert_yaxis()
        bars.set_xlabel("norm of the change / norm before")
        shares = np.zeros((len(rows), len(DECADES)))
        for row, (change, numbers) in enumerate(rows):
            for decade, count in numbers.histogram.items():
                shares[row, decade - DECADES[0]] = count / (change.before.count if change.before else 1)
        drawn = sizes.imshow(shares, aspect="auto", cmap="cividis", vmin=0, vmax=1)
        sizes.set_xticks(range(0, len(DECADES), 3), [f"1e{decade}" for decade in DECADES[::3]])
        sizes.set_xlabel("size of a value's change")
        figure.colorbar(drawn, ax=sizes, label="share of the values")
    return len(rows)


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"
