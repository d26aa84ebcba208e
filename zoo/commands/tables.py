"""Print tables: aligned columns, as wide as they need to be, and no wider than a terminal."""

import json
import os.path
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.commands.output import print_line, print_text
from zoo.printable import printable
from zoo.redaction import without_secrets, without_secrets_in

_SHOWN = 60


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a head; the last column is cut at the terminal's edge."""
    head, *rows = [[printable(without_secrets(cell)) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    edge = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for row in (head, *rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        print_line(line if edge is None or len(line) <= edge else line[: edge - 1] + "…")


def print_json(value: Any) -> None:
    """Print one JSON document, of ASCII alone; DEL is the one control character that JSON leaves as it is."""
    text = json.dumps(without_secrets_in(value), indent=1, default=lambda other: without_secrets(str(other)))
    print_text(text.replace("\x7f", "\\u007f") + "\n", secret=True)  # they are out of it already


def shortened(text: str) -> str:
    """Return a path as it is, or a text as one line of a table, a long one cut."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN or os.path.exists(text) else f"{flat[:_SHOWN]} …"


def millions(count: int | None) -> str:
    """Return a parameter count as people write it."""
    if count is None:
        return "-"
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def format_scores(scores: Mapping[str, float]) -> str:
    """Return scores on one line."""
    return " · ".join(f"{name} {value:.4g}" for name, value in scores.items())
