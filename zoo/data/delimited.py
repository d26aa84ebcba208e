"""Rows of delimited text, as Python's csv module reads them: what separates cells is told, every row has its line."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from zoo.errors import DataError

_DELIMITERS = (",", ";", "\t")
_LOOKED_AT = 1 << 16
_ROWS_LOOKED_AT = 50
_LONGEST = (1 << 31) - 1
TO_FIX = "fix it"


@dataclass(frozen=True)
class Delimited:
    """Cells by row, the names of their columns, and the line that each row begins in."""

    names: Sequence[str]
    rows: Sequence[Sequence[str]]
    lines: Sequence[int]


def read_delimited(
    text: str,
    source: str,
    *,
    delimiter: str | None = None,
    has_head: bool = True,
    quoting: bool | None = None,
    remedy: str = TO_FIX,
) -> Delimited:
    """Return the rows of a text that are not empty. Without a head, columns are called 1, 2, 3 …

    Without `delimiter` it is told from the first rows: a comma, a semicolon or a tab. With `quoting` off, quotation
    marks are text. Raise DataError that names the line for a row with another number of cells than the first, and,
    unless `quoting` is asked for, for a cell between quotation marks that runs over tabs and line ends: more often than
    not they are text, and rows would vanish. `remedy` says what to do about them.
    """
    found = list(_rows(text, source, delimiter or told_delimiter(text), quoting, remedy))
    if not found:
        raise DataError(f"{source} is empty; give a row for each sample")
    names = _names(found.pop(0)[1], source) if has_head else [str(place + 1) for place in range(len(found[0][1]))]
    for line, row in found:
        if len(row) != len(names):
            raise DataError(f"line {line} of {source} has {len(row)} fields for {len(names)} columns; {TO_FIX}")
    return Delimited(names, [row for _, row in found], [line for line, _ in found])


def head_of(text: str) -> list[str]:
    """Return the names of the columns alone, whatever the rows are like."""
    return next(_leniently(text, told_delimiter(text)), [])


def told_delimiter(text: str) -> str:
    """Return what separates the cells: that which gives all of the first rows as many, or else the head the most."""

    def fit(delimiter: str) -> tuple[bool, int]:
        rows = list(islice(_leniently(text[:_LOOKED_AT], delimiter), _ROWS_LOOKED_AT))
        whole = rows[:-1] if len(text) > _LOOKED_AT and 1 < len(rows) < _ROWS_LOOKED_AT else rows
        counts = {len(row) for row in whole}
        even = len(counts) == 1 and counts != {1}
        return even, 0 if even or not rows else len(rows[0])

    return max(_DELIMITERS, key=fit)  # of equals the first


def _leniently(text: str, delimiter: str) -> Iterator[list[str]]:
    _allow_long_cells()
    return filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _rows(
    text: str, source: str, delimiter: str, quoting: bool | None, remedy: str
) -> Iterator[tuple[int, Sequence[str]]]:
    _allow_long_cells()
    lines = io.StringIO(text, newline="")
    if quoting is False:
        rows = csv.reader(lines, delimiter=delimiter, strict=True, quoting=csv.QUOTE_NONE)
    else:
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in rows:
            if quoting is None and delimiter == "\t" and rows.line_num > line and any(map(_runs_on, row)):
                raise DataError(
                    f"line {line} of {source} has a quotation mark that is closed in line {rows.line_num}, behind tabs "
                    f"and line ends; {remedy}"
                )
            if row:
                yield line, row
            line = rows.line_num + 1
    except csv.Error as error:
        raise DataError(f"line {line} of {source} is malformed: {error}; {remedy}") from None


def _runs_on(cell: str) -> bool:
    return "\t" in cell and ("\n" in cell or "\r" in cell)


def _names(head: Sequence[str], source: str) -> list[str]:
    names = [name.strip() or str(place) for place, name in enumerate(head, 1)]
    if twice := next((name for place, name in enumerate(names) if name in names[:place]), None):
        raise DataError(f"{source} has two columns called {twice!r}; rename one")
    return names


def _allow_long_cells() -> None:
    """Lift csv's limit of 128 KiB, which is the process's own: an article is longer."""
    if csv.field_size_limit() < _LONGEST:
        csv.field_size_limit(_LONGEST)
