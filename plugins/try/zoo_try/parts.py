"""What an answer consists of, as a page shows it: text, bars, tables, pictures, files.

A result of `zoo.Predicts` is shown by its shape: `predictions` with a `score` of 0 to 1 each, and shares that add up to
one, as bars, any other list of mappings as a table, a text as text. What is drawn is shown, other files can be saved.
"""

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Part = dict[str, Any]
FIRST = "predictions"
"""What stands above a picture, where a result has it."""


def text(piece: str, title: str = "") -> Part:
    """A text, or the next piece of the one before it."""
    return {"kind": "text", "text": piece, "title": title}


def heading(name: str) -> Part:
    """The name of what the following parts are about."""
    return {"kind": "heading", "text": name}


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> Part:
    """Rows of cells under heads."""
    return {"kind": "table", "columns": list(columns), "rows": [list(row) for row in rows], "title": title}


def bars(rows: Sequence[tuple[str, float, str]], title: str = "") -> Part:
    """Names with a share of one each, and a note."""
    return {"kind": "bars", "rows": [list(row) for row in rows], "title": title}


def matrix(names: Sequence[str], values: Sequence[Sequence[float]], title: str = "") -> Part:
    """How alike things are, from -1 to 1, each to each."""
    rounded = [[round(value, 4) if math.isfinite(value) else 0.0 for value in row] for row in values]
    return {"kind": "matrix", "names": list(names), "values": rounded, "title": title}


def picture(path: Path, says: str) -> Part:
    """A PNG, and what it says to whoever does not see it."""
    return {"kind": "picture", "data": base64.b64encode(path.read_bytes()).decode(), "says": says}


def file(name: str, content: bytes) -> Part:
    """A file that can be saved."""
    return {"kind": "file", "name": name, "data": base64.b64encode(content).decode()}


def parts_of(result: Mapping[str, Any], row: Sequence[str], files: Sequence[Path]) -> Iterator[Part]:
    """Yield the parts of one result, with what was drawn of it; `row` is the result in a table."""
    if FIRST in result:
        yield from _predicted("", result[FIRST])
    drawn = sorted((path for path in files if path.suffix == ".png"), key=lambda path: len(path.name))[:1]
    for path in drawn:
        yield picture(path, "; ".join(cell for cell in row if cell))
    facts = []
    for name, value in result.items():
        if name == FIRST or hasattr(value, "shape"):
            continue
        if isinstance(value, int | float):
            facts.append((_words(name), cell(value)))
        else:
            yield from _shown(_words(name), value)
    if facts:
        yield table((), facts)
    for path in files:
        if path not in drawn:
            yield file(path.name, path.read_bytes())


def cell(value: Any) -> str:
    """Return a value as it stands in a table."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    return "" if value is None else str(value)


def _predicted(title: str, items: Any) -> Iterator[Part]:
    if items and all(isinstance(item, list | tuple) for item in items):  # one list for each of several masks
        for place, item in enumerate(items, 1):
            yield from _predicted(str(place), item)
        return
    words = [[value for value in item.values() if isinstance(value, str)] for item in items]
    if items and all(words) and all(_share(item.get("score")) for item in items):
        named = zip(words, items, strict=True)
        yield bars([(own[0], float(item["score"]), " ".join(own[1:])) for own, item in named], title)
    else:
        yield from _shown(title, items)


def _shown(title: str, value: Any) -> Iterator[Part]:
    if isinstance(value, str):
        yield text(value, title)
    elif isinstance(value, Mapping):
        rows = [(str(name), number) for name, number in value.items()]
        if rows and all(_share(number) for _, number in rows) and abs(sum(number for _, number in rows) - 1) < 0.01:
            yield bars([(*row, "") for row in rows], title)
        else:
            yield table((), [(name, cell(number)) for name, number in rows], title)
    elif isinstance(value, list | tuple):
        yield _listed(title, value)


def _listed(title: str, items: Sequence[Any]) -> Part:
    if not items:
        return text("none", title)
    if not all(isinstance(item, Mapping) for item in items):
        return table((), [(cell(item),) for item in items], title)
    columns = list(dict.fromkeys(name for item in items for name in item))
    return table(list(map(_words, columns)), [[cell(item.get(name)) for name in columns] for item in items], title)


def _share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _words(name: str) -> str:
    return str(name).replace("_", " ")
