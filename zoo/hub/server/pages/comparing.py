"""The program of the process that asks the plugins what changed between two folders, and writes their answers as JSON.

The server starts it for one comparison and ends it when it is late: the code of plugins never runs in the server.
"""

import json
import math
import os
import resource
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.registry.loading import load_named
from zoo.registry.registry import Offer, default_registry
from zoo.specs.comparisons import ComparisonTable

SECONDS = 60
MEMORY = 8 * 1024 * 1024 * 1024  # of addresses: what is mapped from a file counts too
MAX_ANSWER = 4 * 1024 * 1024
_TABLES, _ROWS, _COLUMNS, _BARS, _LETTERS = 10, 300, 12, 64, 200


def answers(before: Path, after: Path) -> Iterator[dict[str, Any]]:
    """Yield what every comparison that plugins offer tells, or why it tells nothing."""
    for offer in default_registry().offers("comparisons"):
        told: dict[str, Any] = {"summary": _short(offer.spec.summary), "fault": "", "tables": []}
        try:
            told["tables"] = _tables(offer, before, after)
        except (ZooError, OSError) as error:
            told["fault"] = _without_paths(str(error), before, after)
        except Exception as error:  # a plugin's fault is told as such, and the others go on
            told["fault"] = _without_paths(f"{offer.plugin.distribution} failed: {type(error).__name__}", before, after)
        yield told


def _tables(offer: Offer[Any], before: Path, after: Path) -> list[dict[str, Any]]:
    tables: Iterable[ComparisonTable] = load_named(offer, "target")(before, after)
    return [
        {
            "title": _short(table.title),
            "columns": [_short(name) for name in islice(table.columns, _COLUMNS)],
            "rows": [[_cell(cell) for cell in islice(row, _COLUMNS)] for row in islice(table.rows, _ROWS)],
            "hidden": max(0, len(table.rows) - _ROWS),
            "note": _short(table.note),
        }
        for table in islice(tables, _TABLES)
    ]


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {"bars": [[_short(label), max(0, int(count))] for label, count in islice(value.items(), _BARS)]}
    if isinstance(value, int | float) and math.isfinite(value):
        return value
    return "" if value is None else _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def _without_paths(text: str, before: Path, after: Path) -> str:
    return _short(text.replace(f"{before}", "before").replace(f"{after}", "after"))


def _bound() -> None:
    os.nice(10)
    with suppress(ValueError, OSError):  # macOS has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (2 * SECONDS, 2 * SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(before: str, after: str) -> None:
    """Write one answer to standard output, where nothing that a plugin prints comes between."""
    _bound()
    target = os.dup(1)
    os.dup2(2, 1)
    content = json.dumps(list(answers(Path(before), Path(after)))).encode()
    with open(target, "wb") as file:
        file.write(content if len(content) <= MAX_ANSWER else b"")


if __name__ == "__main__":
    main(*sys.argv[1:])
