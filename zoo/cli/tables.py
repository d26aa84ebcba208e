"""Print tables: aligned columns, as wide as they need to be, and no wider than a terminal."""

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import click


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a head; the last column is cut at the terminal's edge."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    edge = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for row in (head, *rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(line if edge is None or len(line) <= edge else line[: edge - 1] + "…")


def print_json(value: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(value, indent=1, default=str))


def millions(count: int | None) -> str:
    """Return a parameter count as people write it."""
    if count is None:
        return "-"
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def figures(scores: dict[str, float]) -> str:
    """Return scores on one line."""
    return " · ".join(f"{name} {value:.4g}" for name, value in scores.items())
