"""What a comparison of weights tells the Hub's pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ComparisonTable:
    """A table of what changed. A cell is text, a number, None for nothing, or counts by label, drawn as bars."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float | Mapping[str, int] | None]]
    note: str = ""
