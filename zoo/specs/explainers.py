"""What Zoo asks of what explains predictions. A protocol; nothing has to be inherited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Explainer(Protocol):
    """Made by `target(loaded)` of an explainer's spec for a `zoo.Loaded`: what a model's predictions rest on.

    The target raises UsageError for a model that it cannot explain, such as attention for one without any.
    """

    columns: tuple[str, ...]

    def __call__(
        self, items: Sequence[Any], *, target: str | None = None, batch_size: int = 16
    ) -> list[dict[str, Any]]:
        """Return a result for each item, as the explainers of one kind of data have it in common.

        `target` is what is explained, such as a class; None is what the model predicts. No more than `batch_size`
        inputs are in the model at once. Raise UsageError for a target that there is not.
        """
        ...

    def items(self, arguments: Sequence[str]) -> Sequence[tuple[str, Any]]:
        """Return what was typed at the shell as items, each with its name."""
        ...

    def row(self, result: Mapping[str, Any]) -> Sequence[str]:
        """Return a result as the cells of a table under `columns`."""
        ...

    def draw(self, item: Any, results: Mapping[str, Mapping[str, Any]], out: Path) -> Sequence[Path]:
        """Draw an item's results, by the names of their methods, into files whose names begin with `out`'s."""
        ...
