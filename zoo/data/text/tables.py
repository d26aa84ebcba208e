"""Tables of texts, whose columns are found by name: CSV, TSV, JSON, JSON lines and parquet, whole in memory."""

import gzip
import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from zoo.data.delimited import read_delimited
from zoo.data.text_files import decoded, split_lines
from zoo.errors import DataError
from zoo.extras import require

_REMEDY = "fix it, or say --data-set quoting=false if quotation marks are text there, quoting=true if they are not"


@dataclass(frozen=True)
class Table:
    """Columns by name, all of the same length, and the lines that rows begin in where the file has lines."""

    columns: Mapping[str, Sequence[Any]]
    lines: Sequence[int] | None = None

    def where(self, row: int) -> str:
        """Return what a person finds a row by."""
        return f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"


def is_table(path: Path) -> bool:
    """Tell whether a file is one of those that `read_table` reads."""
    return _suffix(path) in SUFFIXES


def read_table(path: Path, *, has_head: bool = True, quoting: bool | None = None, remedy: str = _REMEDY) -> Table:
    """Read a table. Without a head its columns are called 1, 2, 3 …

    With `quoting` off, quotation marks in CSV and TSV are text. Raise DataError for a file that is broken, naming the
    line; `remedy` says what to do about quotation marks.
    """
    suffix = _suffix(path)
    if path.is_file() and not path.stat().st_size:
        raise DataError(f"{path} is empty; give a row for each sample")
    if suffix not in _DELIMITERS:
        return _READERS[suffix](path)
    found = read_delimited(
        _text(path), str(path), delimiter=_DELIMITERS[suffix], has_head=has_head, quoting=quoting, remedy=remedy
    )
    columns = zip(*found.rows, strict=True) if found.rows else [()] * len(found.names)
    return Table(dict(zip(found.names, columns, strict=True)), found.lines)


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file, which may be packed (.gz)."""
    return split_lines(_text(path))


def as_text(value: Any, where: str) -> str:
    """Return a cell as text: the parts of a list are joined by blanks."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return " ".join(value)
    if isinstance(value, (int, float)) and not is_missing(value):
        return str(value)
    raise DataError(f"{where} holds {'nothing' if is_missing(value) else type(value).__name__}, not text; fix it")


def is_missing(value: Any) -> bool:
    """Tell whether a cell holds nothing: null, or NaN, which stands for it where numbers are floats."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _suffix(path: Path) -> str:
    return (Path(path.stem).suffix if path.suffix == ".gz" else path.suffix).lower()


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        unpacked = gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}; get it again") from None
    return decoded(unpacked, path)


def _read_jsonl(path: Path) -> Table:
    return _of_lines(_text(path), path)


def _read_json(path: Path) -> Table:
    """Read a list of objects, an object of columns, one that holds nothing but such a list, or else JSON lines."""
    text = _text(path)
    try:
        found = _parsed(text, str(path))
    except DataError:
        if text.count("\n") and text.lstrip().startswith("{") and _is_json(split_lines(text.lstrip())[0]):
            return _of_lines(text, path)
        raise
    if isinstance(found, dict) and len(found) == 1 and _are_rows(inner := next(iter(found.values()))):
        found = inner
    if _are_rows(found):
        return Table(_columns(found))
    if isinstance(found, dict) and found and all(isinstance(values, list) for values in found.values()):
        if len({len(values) for values in found.values()}) > 1:
            raise DataError(f"the columns of {path} are of different lengths; give each a value for every row")
        return Table(found)
    raise DataError(f'{path} is no list of objects; write [{{"text": …}}, …], or rename it to .txt if it is prose')


def _of_lines(text: str, path: Path) -> Table:
    rows, lines = [], []
    for number, line in enumerate(split_lines(text), start=1):
        if not line.strip():
            continue
        row = _parsed(line, f"line {number} of {path}")
        if not isinstance(row, dict):
            raise DataError(f'line {number} of {path} is no object with names; write {{"text": …}}')
        rows.append(row)
        lines.append(number)
    return Table(_columns(rows), lines)


def _parsed(text: str, where: str) -> Any:
    try:
        msgspec.json.decode(text)  # it is stricter than json, which alone tells of keys that are there twice
        return json.loads(text, object_pairs_hook=lambda pairs: _unique(pairs, where))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON: {error}; fix it") from None


def _unique(pairs: Sequence[tuple[str, Any]], where: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise DataError(f"{where} has {twice!r} twice; keep one of them")
    return found


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return True


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _read_parquet(path: Path) -> Table:
    require(str(path), "pyarrow")
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            table = file.read()
        if twice := next((name for name in table.column_names if table.column_names.count(name) > 1), None):
            raise DataError(f"{path} has two columns called {twice!r}; rename one")
        columns: dict[str, list[Any]] = table.to_pydict()
    except (OSError, ArrowException) as error:
        raise DataError(f"{path} cannot be read as parquet: {error}; get it again") from None
    return Table(columns)


_DELIMITERS: Mapping[str, str | None] = {".csv": None, ".tsv": "\t"}
_READERS: Mapping[str, Callable[[Path], Table]] = {
    ".json": _read_json,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": _read_parquet,
}
SUFFIXES = (*_DELIMITERS, *_READERS)
