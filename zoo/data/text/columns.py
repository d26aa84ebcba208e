"""Which column of a table is what, and the records that its rows become."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data.text.tables import Table, as_text, is_missing, read_table
from zoo.errors import DataError

_USUAL: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "sentence", "sentence1", "premise", "question", "source", "document", "body", "article"),
    "pair": ("pair", "text_pair", "sentence2", "hypothesis"),
    "label": ("label", "labels", "class", "topic", "category"),
    "target": ("target", "summary", "translation", "highlights"),
}
_HIDDEN = "-1"


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column holds the text, a second text, the label, and what is to be written; None takes the usual names.

    Of paired files (`train.de` beside `train.en`) `text` and `target` are the ends of the names. With `quoting` off,
    quotation marks in CSV and TSV are text.
    """

    text: str | None = None
    pair: str | None = None
    label: str | None = None
    target: str | None = None
    quoting: bool | None = None

    def named(self) -> dict[str, str]:
        """Return the columns that were named."""
        values = {role: getattr(self, role) for role in _USUAL}
        return {role: name for role, name in values.items() if name is not None}

    @property
    def identity(self) -> str:
        """What fingerprints of data are made of: it stays as it is, since runs are made again by them."""
        more = "" if self.quoting is None else f", quoting={self.quoting}"
        return f"Columns({', '.join(f'{role}={getattr(self, role)!r}' for role in _USUAL)}{more})"


@dataclass(frozen=True)
class Record:
    """What one row says: its texts, and its labels, of which it may have several where they come as a list."""

    text: str
    pair: str | None = None
    labels: tuple[str, ...] | None = None
    target_text: str | None = None

    @property
    def identity(self) -> str:
        """What splits are drawn by: it stays as it is, since another one would mix what earlier runs held out."""
        return f"Record(text={self.text!r}, pair={self.pair!r}, labels={self.labels!r}, written={self.target_text!r})"


def read_columns(file: Path, columns: Columns, **more: Any) -> Table:
    """Read a table as its columns were named: by numbers where it has no head; `more` is for `read_table`."""
    named = columns.named()
    table = read_table(file, quoting=columns.quoting, **more)
    if named and all(name.isdigit() for name in named.values()) and not set(named.values()) <= table.columns.keys():
        table = read_table(file, has_head=False, quoting=columns.quoting, **more)
    return table


def records_of(table: Table, columns: Columns, source: str) -> tuple[list[Record], bool]:
    """Return the rows of a table by its columns, and whether a text may have several labels.

    A column of labels that are all missing, or all -1, counts as absent: they are hidden. Raise DataError where a
    column that was named is not there, or nothing can be told to be the text.
    """
    texts, pairs = texts_of(table, columns, source)
    found = _roles(table, columns, source)
    label, target = found["label"], found["target"]
    several = label is not None and _holds_lists(table.columns[label], label)
    labels = None
    if label is not None and not all(map(_is_hidden, table.columns[label])):
        labels = [
            _label(value, several, _where(table, row, label, source)) for row, value in enumerate(table.columns[label])
        ]
    written = _cells(table, target, source)
    records = [
        Record(
            text,
            pairs[row] if pairs else None,
            labels[row] if labels else None,
            written[row] if written else None,
        )
        for row, text in enumerate(texts)
    ]
    return records, several


def hides_labels(table: Table, columns: Columns, source: str) -> bool:
    """Tell whether a table has a column of labels that are all hidden, and nothing else to learn."""
    found = _roles(table, columns, source)
    label, target = found["label"], found["target"]
    return label is not None and target is None and all(map(_is_hidden, table.columns[label]))


def texts_of(table: Table, columns: Columns, source: str) -> tuple[list[str], list[str] | None]:
    """Return the texts of a table, and the second ones where it has them, whatever else it says of them.

    Raise DataError where a column that was named is not there, or nothing can be told to be the text.
    """
    found = _roles(table, columns, source)
    texts = _cells(table, found["text"], source)
    if texts is None:
        names = ", ".join(map(str, table.columns))
        raise DataError(f"{source} has the columns {names}; choose the text column: --text NAME")
    return texts, _cells(table, found["pair"], source)


def _roles(table: Table, columns: Columns, source: str) -> dict[str, str | None]:
    """Return which column is what; of a single one, the text."""
    known = table.columns
    for role, name in columns.named().items():
        if name not in known:
            raise DataError(f"{source} has no column {name!r} for --{role}; it has {', '.join(map(str, known))}")
    usual = {role: next((name for name in names if name in known), None) for role, names in _USUAL.items()}
    only = {"text": next(iter(known))} if len(known) == 1 else {}
    return usual | only | columns.named()


def _cells(table: Table, name: str | None, source: str) -> list[str] | None:
    if name is None:
        return None
    return [as_text(value, _where(table, row, name, source)) for row, value in enumerate(table.columns[name])]


def _where(table: Table, place: int, name: str, source: str) -> str:
    return f"column {name!r} in {table.where(place)} of {source}"


def _holds_lists(values: Sequence[Any], name: str) -> bool:
    return name == "labels" or any(isinstance(value, (list, tuple)) for value in values[:100])


def _is_hidden(value: Any) -> bool:
    return is_missing(value) or str(value).strip() in ("", _HIDDEN)


def _label(value: Any, several: bool, where: str) -> tuple[str, ...]:
    if several:
        parts = value if isinstance(value, (list, tuple)) else () if is_missing(value) else str(value).split("|")
        return tuple(dict.fromkeys(label for part in parts if (label := as_text(part, where).strip())))
    label = "" if is_missing(value) else as_text(value, where).strip()
    if not label:
        raise DataError(f"{where} holds no label; write one, or call the column labels if a text may have none")
    return (label,)
