"""Tables of texts, whose columns are found by name: CSV, TSV, JSON lines and parquet, whole in memory."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from zoo.data.text.utf8 import decoded
from zoo.errors import DataError

Table = Mapping[str, Sequence[Any]]
"""Columns by name, all of the same length."""


def is_table(path: Path) -> bool:
    """Tell whether a file is one of those that `read_table` reads."""
    return _suffix(path) in _READERS


def read_table(path: Path, *, has_head: bool = True) -> Table:
    """Read a table. Without a head its columns are called 1, 2, 3 …

    Raise DataError for a file that is broken, naming the line.
    """
    return _READERS[_suffix(path)](path, has_head)


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file, which may be packed (.gz)."""
    return _text(path).splitlines()


def as_text(value: Any, where: str) -> str:
    """Return a cell as text: the parts of a list are joined by blanks."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return " ".join(value)
    if isinstance(value, (int, float)):
        return str(value)
    raise DataError(f"{where} holds {'nothing' if value is None else type(value).__name__}, not text; fix it")


def _suffix(path: Path) -> str:
    return Path(path.stem).suffix if path.suffix == ".gz" else path.suffix


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        unpacked = gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}; get it again") from None
    return decoded(unpacked, path, encoding="utf-8-sig")


def _read_csv(path: Path, has_head: bool, delimiter: str = ",") -> Table:
    rows = csv.reader(io.StringIO(_text(path), newline=""), delimiter=delimiter, strict=True)
    try:
        found = [row for row in rows if row]
    except csv.Error as error:
        raise DataError(f"line {rows.line_num} of {path} is malformed: {error}; fix it") from None
    if not found:
        raise DataError(f"{path} is empty; give a line for each text")
    names = found.pop(0) if has_head else [str(place + 1) for place in range(len(found[0]))]
    for number, row in enumerate(found, start=1 + has_head):
        if len(row) != len(names):
            raise DataError(f"row {number} of {path} has {len(row)} fields for {len(names)} columns; fix it")
    return dict(zip(names, zip(*found, strict=True), strict=True)) if found else dict.fromkeys(names, ())


def _read_tsv(path: Path, has_head: bool) -> Table:
    return _read_csv(path, has_head, "\t")


def _read_jsonl(path: Path, has_head: bool) -> Table:
    rows = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise DataError(f"line {number} of {path} is not JSON: {error}; fix it") from None
        if not isinstance(row, dict):
            raise DataError(f'line {number} of {path} is no object with names; write {{"text": …}}')
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _read_parquet(path: Path, has_head: bool) -> Table:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import read_table as read_parquet
    except ImportError:
        raise DataError(f"{path} needs pyarrow to be read: pip install 'zoo-hub[data]'") from None
    try:
        columns: dict[str, list[Any]] = read_parquet(path).to_pydict()
    except (OSError, ArrowException) as error:
        raise DataError(f"{path} cannot be read as parquet: {error}; get it again") from None
    return columns


_READERS: Mapping[str, Callable[[Path, bool], Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
