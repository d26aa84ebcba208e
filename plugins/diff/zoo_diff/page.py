"""What `zoo diff` tells of tensors, for the Hub's page of two commits."""

from collections.abc import Iterator
from pathlib import Path

import zoo
from zoo_diff.comparison import TensorChange, sizes, tensor_changes, weight
from zoo_diff.numbers import DECADES

_ROWS = 200
_COLUMNS = (
    "Tensor",
    "Kind",
    "Shape",
    "Norm of the change",
    "… / norm before",
    "Largest",
    "Values changed",
    "Sizes of the changes",
)


def tables(before: Path, after: Path) -> Iterator[zoo.ComparisonTable]:
    """Yield one table: the tensors that changed most, by their numbers."""
    changes, total = tensor_changes(*map(_weights, (before, after)))
    shown = sorted(changes, key=weight)[:_ROWS]
    said = f"{len(changes):,} of {total:,} tensors changed" + (
        f"; the {_ROWS} that changed most" if len(changes) > _ROWS else ""
    )
    yield zoo.ComparisonTable(title=said, columns=_COLUMNS, rows=[_row(change) for change in shown])


def _weights(folder: Path) -> Path:
    """Return what to read: the folder, or the one file of tensors in it where that has a name of its own."""
    files = [file for file in folder.glob("*.safetensors") if file.name != "selftest.safetensors"]
    return files[0] if len(files) == 1 else folder


def _row(change: TensorChange) -> list[str | float | dict[str, int] | None]:
    row: list[str | float | dict[str, int] | None] = [change.name, change.kind, sizes(change)]
    if (numbers := change.numbers) is None:
        return [*row, None, None, None, None, None]
    odd = f", {numbers.not_finite:,} not finite" if numbers.not_finite else ""
    bars = {f"1e{decade}": numbers.histogram.get(decade, 0) for decade in DECADES}
    return [*row, numbers.norm, numbers.relative, numbers.largest, f"{numbers.share:.1%}{odd}", bars]
