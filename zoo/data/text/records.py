"""Texts with what is known of them, from tables and paired files: which column is what, which row in which split."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.hashes import content_hashes
from zoo.data.splitting import with_test
from zoo.data.text.dataset import TextDataset, TextSplit
from zoo.data.text.tables import Table, as_text, is_table, read_lines, read_table
from zoo.errors import DataError

_USUAL: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "sentence", "sentence1", "premise", "question", "source", "document", "body", "article"),
    "pair": ("pair", "text_pair", "sentence2", "hypothesis"),
    "label": ("label", "labels", "class", "topic", "category"),
    "target": ("target", "summary", "translation", "highlights"),
}
_SPLITS = {
    "train": "train",
    "test": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
}
_TEST_SHARE = 0.2


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column holds the text, a second text, the label, and what is to be written; None takes the usual names.

    Of paired files (`train.de` beside `train.en`) `text` and `target` are the ends of the names.
    """

    text: str | None = None
    pair: str | None = None
    label: str | None = None
    target: str | None = None

    def named(self) -> dict[str, str]:
        """Return the columns that were named."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {role: name for role, name in values.items() if name is not None}


@dataclass(frozen=True)
class Record:
    """What one row says: its texts, and its labels, of which it may have several where they come as a list."""

    text: str
    pair: str | None = None
    labels: tuple[str, ...] | None = None
    written: str | None = None


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
        raise DataError(f"no tables in {path}; give train.csv and test.csv, or .tsv, .jsonl or .parquet")
    rows: dict[str, Sequence[Record]] = {}
    several = False
    for split, file in files.items():
        rows[split], multiple = _read(file, columns)
        several = several or multiple
    if "" in rows:
        rows = split_by_hash(rows[""], str(path))
    rows = with_test(rows)
    hashes = content_hashes(path if path.is_dir() else path.parent, list(files.values()))
    digest = hashlib.sha256(repr(columns).encode())
    for split, file in files.items():
        digest.update(f"{split} {hashes[file]}\n".encode())
    return dataset_of(rows, name=path.resolve().stem, source=str(path), fingerprint=digest.hexdigest(), several=several)


def dataset_of(
    rows: Mapping[str, Sequence[Record]],
    *,
    name: str,
    source: str,
    fingerprint: str,
    licence: str = "unknown",
    classes: tuple[str, ...] | None = None,
    several: bool = False,
) -> TextDataset:
    """Return records as a data set. Classes are the labels of the training rows, sorted, unless they are given.

    Raise DataError for a label that no training row has.
    """
    if classes is None:
        classes = tuple(sorted({label for row in rows.get("train", ()) for label in row.labels or ()}))
    places = {label: place for place, label in enumerate(classes)}
    splits = {}
    for split, records in rows.items():
        labelled = bool(records) and records[0].labels is not None
        splits[split] = TextSplit(
            [record.text for record in records],
            _column(record.pair for record in records),
            _labels(records, places, several, f"the {split} split of {source}") if labelled else None,
            _column(record.written for record in records),
        )
    return TextDataset(
        name=name, splits=splits, classes=classes, licence=licence, source=source, fingerprint=fingerprint
    )


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
        rows[split] = [Record(text, written=line) for text, line in zip(texts, written, strict=True)]
    return rows


def _labels(records: Sequence[Record], places: Mapping[str, int], several: bool, where: str) -> "np.ndarray[Any, Any]":
    unknown = sorted({label for record in records for label in record.labels or () if label not in places})
    if unknown:
        raise DataError(
            f"{where} has the label {unknown[0]!r}, which no training text has; add some, or remove those texts"
        )
    if not several:
        return np.array([places[(record.labels or ("",))[0]] for record in records], np.int64)
    labels = np.zeros((len(records), len(places)), np.uint8)
    for row, record in zip(labels, records, strict=True):
        row[[places[label] for label in record.labels or ()]] = 1
    return labels


def _column(values: Iterable[str | None]) -> list[str] | None:
    found = [value for value in values if value is not None]
    return found or None


def _tables_in(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        split = _SPLITS.get(file.name.partition(".")[0].partition("-")[0])
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
        split = next((split for start, split in _SPLITS.items() if stem == start or stem.startswith(f"{start}_")), None)
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
    rows = with_test(paired(path, chosen))
    return dataset_of(rows, name=path.resolve().stem, source=str(path), fingerprint=digest.hexdigest())


def _read(file: Path, columns: Columns) -> tuple[list[Record], bool]:
    """Return the rows of a table, and whether a text may have several labels."""
    named = columns.named()
    table = read_table(file)
    if named and all(name.isdigit() for name in named.values()) and not set(named.values()) <= table.keys():
        table = read_table(file, has_head=False)
    return records_of(table, columns, str(file))


def records_of(table: Table, columns: Columns, source: str) -> tuple[list[Record], bool]:
    """Return the rows of a table by its columns, and whether a text may have several labels.

    Raise DataError where a column that was named is not there, or nothing can be told to be the text.
    """
    named = columns.named()
    for role, name in named.items():
        if name not in table:
            raise DataError(f"{source} has no column {name!r} for --{role}; it has {', '.join(map(str, table))}")
    found = {role: next((name for name in usual if name in table), None) for role, usual in _USUAL.items()} | named
    text, label = found["text"], found["label"]
    if text is None:
        raise DataError(f"{source} has the columns {', '.join(map(str, table))}; choose the text column: --text NAME")
    several = label is not None and _holds_lists(table[label], label)
    cells = {role: _cells(table, name, source) for role, name in found.items() if name is not None and role != "label"}
    labels = [_label(value, several, f"column {label} of {source}") for value in table[label]] if label else None
    pairs, written = cells.get("pair"), cells.get("target")
    records = [
        Record(
            cells["text"][place],
            pairs[place] if pairs else None,
            labels[place] if labels else None,
            written[place] if written else None,
        )
        for place in range(len(table[text]))
    ]
    return records, several


def _cells(table: Table, name: str, source: str) -> list[str]:
    return [
        as_text(value, f"row {number} of column {name!r} in {source}") for number, value in enumerate(table[name], 1)
    ]


def _holds_lists(values: Sequence[Any], name: str) -> bool:
    return name == "labels" or any(isinstance(value, (list, tuple)) for value in values[:100])


def _label(value: Any, several: bool, where: str) -> tuple[str, ...]:
    if several:
        parts = value.split("|") if isinstance(value, str) else value or ()
        return tuple(dict.fromkeys(label for part in parts if (label := str(part).strip())))
    label = as_text(value, where).strip()
    if not label:
        raise DataError(f"{where} has a row without a label; write one, or call the column labels")
    return (label,)


def split_by_hash(records: Sequence[Record], source: str) -> dict[str, Sequence[Record]]:
    """Split rows by the hash of each, so that one stays on its side when others come or go."""
    hashes = [hashlib.sha256(repr(record).encode()).digest() for record in records]
    count = round(len(records) * _TEST_SHARE)
    if not 0 < count < len(records):
        raise DataError(f"{source} holds {len(records)} rows; a training and a test split need more")
    test = set(sorted(range(len(records)), key=lambda place: (hashes[place], place))[:count])
    return {
        "train": [record for place, record in enumerate(records) if place not in test],
        "test": [records[place] for place in sorted(test)],
    }
