"""Texts with what is known of them, from tables and paired files: which column is what, which row in which split."""

import hashlib
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.hashes import content_hashes
from zoo.data.splitting import SPLITS, TEST_SHARE, scoring, stratified, with_test
from zoo.data.text.columns import Columns, Record, read_columns, records_of
from zoo.data.text.copies import equal_texts, warn_of_equal_texts
from zoo.data.text.dataset import TextDataset, TextSplit
from zoo.data.text.tables import is_table, read_lines
from zoo.errors import DataError
from zoo.printable import counted

_WHOLE = re.compile(r"(-?\d+)(\.0+)?")
_log = logging.getLogger("zoo")


def is_records(path: Path) -> bool:
    """Tell whether a path holds tables, or paired files, rather than plain text."""
    if path.is_file():
        return is_table(path)
    return bool(_tables_in(path) or _pairs_in(path))


def open_records(path: Path, columns: Columns) -> TextDataset:
    """Open a table, a folder with one for each split, or one of paired files.

    Splits are named by the files (train, test, validation). Rows of a single file are split as `dataset_of` does.
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
        rows = {"train": rows[""]}
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
    a fifth of the training rows of each class, by their hashes, equal texts together. One line warns of texts that are
    in train and elsewhere. Raise DataError for a label that no training row has.
    """
    rows = with_test(_without_hidden(rows, source))
    if set(rows) == {"train"}:
        rows, drawn = split_by_hash(rows["train"], source)
        fingerprint = hashlib.sha256(f"{fingerprint} {drawn}".encode()).hexdigest() if drawn else fingerprint
    else:
        warn_of_equal_texts(rows, source)
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
    if not labelled or not (scoring() or "train" in labelled):
        return {split: [replace(record, labels=None) for record in records] for split, records in rows.items()}
    for split in rows.keys() - labelled:
        _log.warning("%s hides the labels of its %s split, which is left out", source, split)
    return {split: records for split, records in rows.items() if split in labelled}


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


def split_by_hash(records: Sequence[Record], source: str) -> tuple[dict[str, Sequence[Record]], str]:
    """Split rows within each class by the hash of each, so that one stays on its side when others come or go.

    Return also what a fingerprint has to say of it: rows without labels and copies are split as they ever were.
    """
    hashes = [hashlib.sha256(record.identity.encode()).digest() for record in records]
    if not 0 < round(len(records) * TEST_SHARE) < len(records):
        raise DataError(f"{source} holds {counted(len(records), 'row')}; a training and a test split need more")
    ranked = sorted(range(len(records)), key=lambda place: (hashes[place], place))
    labels = [record.labels or () for record in records]
    groups = equal_texts([record.text for record in records], [record.pair for record in records])
    test = stratified(ranked, labels, source, groups=groups)
    splits: dict[str, Sequence[Record]] = {
        "train": [record for place, record in enumerate(records) if place not in test],
        "test": [records[place] for place in sorted(test)],
    }
    drawn = [name for name, holds in (("class", any(labels)), ("text", groups is not None)) if holds]
    return splits, f"split by {' and '.join(drawn)}" if drawn else ""
