"""Texts with what is known of them, from tables and paired files: which column is what, which row in which split."""

import hashlib
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.hashes import content_hashes
from zoo.data.splitting import SPLITS, held_out, scoring, with_test
from zoo.data.text.dataset import TextDataset, TextSplit
from zoo.data.text.tables import Table, as_text, is_missing, is_table, read_lines, read_table
from zoo.errors import DataError

_USUAL: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "sentence", "sentence1", "premise", "question", "source", "document", "body", "article"),
    "pair": ("pair", "text_pair", "sentence2", "hypothesis"),
    "label": ("label", "labels", "class", "topic", "category"),
    "target": ("target", "summary", "translation", "highlights"),
}
_TEST_SHARE = 0.2
_HIDDEN = "-1"
_WHOLE = re.compile(r"(-?\d+)(\.0+)?")
_log = logging.getLogger("zoo")


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


def is_records(path: Path) -> bool:
    """Tell whether a path holds tables, or paired files, rather than plain text."""
    if path.is_file():
        return is_table(path)
    return bool(_tables_in(path) or _pairs_in(path))


def open_records(path: Path, columns: Columns) -> TextDataset:
    """Open a table, a folder with one for each split, or one of paired files.

    Splits are named by the files (train, test, validation). Rows of a single file are split by their own hashes, so
    that one stays on its side when others come or go.
    """
    if path.is_dir() and (pairs := _pairs_in(path)):
        return _paired(path, pairs, columns)
    files = {"": path} if path.is_file() else _tables_in(path)
    if not files:
        raise DataError(f"no tables in {path}; give train.csv and test.csv, or .tsv, .json, .jsonl or .parquet")
    rows: dict[str, Sequence[Record]] = {}
    several = False
    for split, file in files.items():
        rows[split], multiple = _read(file, columns)
        several = several or multiple
    if "" in rows:
        rows = split_by_hash(rows[""], str(path))
    hashes = content_hashes(path if path.is_dir() else path.parent, list(files.values()))
    digest = hashlib.sha256(columns.identity.encode())
    for split, file in files.items():
        digest.update(f"{split} {hashes[file]}\n".encode())
    return dataset_of(rows, name=path.resolve().stem, source=str(path), fingerprint=digest.hexdigest(), several=several)


def dataset_of(
    rows: Mapping[str, Sequence[Record]],
    *,
    name: str,
    source: str,
    fingerprint: str,
    license: str = "unknown",
    classes: tuple[str, ...] | None = None,
    several: bool = False,
) -> TextDataset:
    """Return records as a data set. Classes are the labels of the training rows, sorted, unless they are given.

    Labels that are all whole numbers are written as such: 1 and 1.0 are one class. Splits whose labels are hidden
    count as absent where the training rows have labels. Without a split to test on, what is there for validation is, or
    a fifth of the training rows, by their hashes. Raise DataError for a label that no training row has.
    """
    rows = _with_test(_without_hidden(rows, source), source)
    if classes is None:
        rows = _with_whole_numbers(rows)
        known = rows.get("test" if scoring() else "train", ())
        classes = tuple(sorted({label for row in known for label in row.labels or ()}))
    indices = {label: place for place, label in enumerate(classes)}
    splits = {}
    for split, records in rows.items():
        labelled = bool(records) and records[0].labels is not None
        splits[split] = TextSplit(
            [record.text for record in records],
            _column(record.pair for record in records),
            _labels(records, indices, several, f"the {split} split of {source}") if labelled else None,
            _column(record.target_text for record in records),
        )
    return TextDataset(
        name=name, splits=splits, classes=classes, license=license, source=source, fingerprint=fingerprint
    )


def _without_hidden(rows: Mapping[str, Sequence[Record]], source: str) -> dict[str, Sequence[Record]]:
    labelled = {split for split, records in rows.items() if records and records[0].labels is not None}
    if ("train" if "train" in rows else "test") not in labelled:
        return {split: [replace(record, labels=None) for record in records] for split, records in rows.items()}
    for split in rows.keys() - labelled:
        _log.warning("%s hides the labels of its %s split, which is left out", source, split)
    return {split: records for split, records in rows.items() if split in labelled}


def _with_test(rows: Mapping[str, Sequence[Record]], source: str) -> dict[str, Sequence[Record]]:
    rows = with_test(rows)
    return split_by_hash(rows["train"], source) if set(rows) == {"train"} else rows


def _with_whole_numbers(rows: Mapping[str, Sequence[Record]]) -> Mapping[str, Sequence[Record]]:
    labels = {label for records in rows.values() for record in records for label in record.labels or ()}
    whole = {label: match[1] for label in labels if (match := _WHOLE.fullmatch(label))}
    if len(whole) < len(labels) or all(label == number for label, number in whole.items()):
        return rows
    return {
        split: [
            replace(record, labels=record.labels and tuple(whole[label] for label in record.labels))
            for record in records
        ]
        for split, records in rows.items()
    }


def paired(path: Path, splits: Mapping[str, tuple[Path, Path]]) -> dict[str, list[Record]]:
    """Return the rows of files whose lines belong together. Raise DataError where there are more in one of two."""
    rows = {}
    for split, (first, second) in splits.items():
        texts, written = read_lines(first), read_lines(second)
        if len(texts) != len(written):
            raise DataError(
                f"{first.name} has {len(texts):,} lines and {second.name} {len(written):,} in {path}; "
                "they must be pairs"
            )
        rows[split] = [Record(text, target_text=line) for text, line in zip(texts, written, strict=True)]
    return rows


def _labels(records: Sequence[Record], indices: Mapping[str, int], several: bool, where: str) -> "np.ndarray[Any, Any]":
    unknown = sorted({label for record in records for label in record.labels or () if label not in indices})
    if unknown:
        raise DataError(
            f"{where} has the label {unknown[0]!r}, which no training text has; add some, or remove those texts"
        )
    if not several:
        return np.array([indices[(record.labels or ("",))[0]] for record in records], np.int64)
    labels = np.zeros((len(records), len(indices)), np.uint8)
    for row, record in zip(labels, records, strict=True):
        row[[indices[label] for label in record.labels or ()]] = 1
    return labels


def _column(values: Iterable[str | None]) -> list[str] | None:
    found = [value for value in values if value is not None]
    return found or None


def _tables_in(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        split = SPLITS.get(file.name.partition(".")[0].partition("-")[0])
        if split and is_table(file):
            if split in found:
                raise DataError(f"{folder} has both {found[split].name} and {file.name} for {split}; keep one")
            found[split] = file
    return found


def _pairs_in(folder: Path) -> dict[str, dict[str, Path]]:
    """Return by split the text files whose names differ in their ends: train.de and train.en, packed or not."""
    found: dict[str, dict[str, Path]] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        stem, _, end = file.name.removesuffix(".gz").rpartition(".")
        split = next((split for start, split in SPLITS.items() if stem == start or stem.startswith(f"{start}_")), None)
        if split and end and not is_table(file) and end not in ("txt", "md"):
            found.setdefault(split, {}).setdefault(end, file)
    return {split: files for split, files in found.items() if len(files) > 1}


def _paired(path: Path, files: Mapping[str, Mapping[str, Path]], columns: Columns) -> TextDataset:
    ends = sorted({end for split in files.values() for end in split})
    if columns.text is None or columns.target is None:
        raise DataError(
            f"{path} holds files in {', '.join(ends)}; choose source and target, "
            f"for example --text {ends[0]} --target {ends[1]}"
        )
    for end in (columns.text, columns.target):
        if any(end not in split for split in files.values()):
            raise DataError(f"{path} has no files ending in .{end} for each split; it has {', '.join(ends)}")
    chosen = {split: (by_end[columns.text], by_end[columns.target]) for split, by_end in files.items()}
    hashes = content_hashes(path, [file for pair in chosen.values() for file in pair])
    digest = hashlib.sha256(repr([(split, [hashes[file] for file in pair]) for split, pair in chosen.items()]).encode())
    return dataset_of(paired(path, chosen), name=path.resolve().stem, source=str(path), fingerprint=digest.hexdigest())


def _read(file: Path, columns: Columns) -> tuple[list[Record], bool]:
    """Return the rows of a table, and whether a text may have several labels."""
    return records_of(read_columns(file, columns), columns, str(file))


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


def split_by_hash(records: Sequence[Record], source: str) -> dict[str, Sequence[Record]]:
    """Split rows by the hash of each, so that one stays on its side when others come or go.

    A row that alone has a label is not tested on.
    """
    if scoring():
        return {"test": records}
    hashes = [hashlib.sha256(record.identity.encode()).digest() for record in records]
    count = round(len(records) * _TEST_SHARE)
    if not 0 < count < len(records):
        raise DataError(f"{source} holds {len(records)} rows; a training and a test split need more")
    ranked = sorted(range(len(records)), key=lambda place: (hashes[place], place))
    test = held_out(ranked, [record.labels or () for record in records], count, source)
    return {
        "train": [record for place, record in enumerate(records) if place not in test],
        "test": [records[place] for place in sorted(test)],
    }
