"""Labels of pictures from a table beside them: one or several of each picture.

`labels.csv` has the columns `file` and `labels`, `metadata.csv` has `file_name` and `labels` (the Hub's convention for
folders of images). Several labels are separated by `|`; a column called `label` has one for each picture. The table
lies in the folder, or one in each of train and test; a column `split`, or folders called train and test, split them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.arrays import Labels
from zoo.data.delimited import head_of, read_delimited
from zoo.data.splitting import SPLITS, needed_splits, split_folders, with_test
from zoo.data.text_files import read_text
from zoo.errors import DataError
from zoo.files import inside

ALL = "all"
"""The split of what is still to be split."""

_OWN, _METADATA = "labels.csv", "metadata.csv"
_FILES, _LABELS = ("file", "file_name"), ("labels", "label")
_MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class LabelTable:
    """Which pictures each split has, what labels each has, and whether it may have several."""

    paths: Mapping[str, list[Path]]
    labels: Mapping[Path, tuple[str, ...]]
    several: bool

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of all labels, sorted."""
        return tuple(sorted({label for labels in self.labels.values() for label in labels}))

    def targets(self, paths: Sequence[Path]) -> Labels:
        """Return uint8 (samples, classes) of 0 and 1 where there may be several labels, or else int64 (samples,)."""
        indices = {name: place for place, name in enumerate(self.classes)}
        if not self.several:
            return np.array([indices[self.labels[path][0]] for path in paths], np.int64)
        found = np.zeros((len(paths), len(indices)), np.uint8)
        for row, path in enumerate(paths):
            found[row, [indices[label] for label in self.labels[path]]] = 1
        return found


@dataclass(frozen=True)
class _Row:
    where: str
    path: Path
    labels: tuple[str, ...]
    split: str


def read_label_table(folder: Path) -> LabelTable | None:
    """Read the tables of a folder; None where it has none. Raise DataError for one that is not right, naming a line."""
    tables = {ALL: path} if (path := _table_in(folder)) else {}
    if not tables:
        tables = {split: path for split, inner in split_folders(folder).items() if (path := _table_in(inner))}
    if not tables:
        return None
    rows: dict[Path, _Row] = {}
    several = set()
    for split, table in tables.items():
        for row, may_be_several in _rows(table, split):
            if row.path in rows:
                raise DataError(f"{row.where} names {row.path.name} again, after {rows[row.path].where}; keep one line")
            rows[row.path] = row
            several.add(may_be_several)
    if not rows:
        raise DataError(f"{next(iter(tables.values()))} has no lines; give a line for each picture")
    if len(several) > 1:
        raise DataError(f"the tables in {folder} have a column label in one and labels in another; use one name")
    labels = {path: row.labels for path, row in rows.items()}
    return LabelTable(_paths_by_split(folder, list(rows.values())), labels, several.pop())


def _table_in(folder: Path) -> Path | None:
    own, metadata = folder / _OWN, folder / _METADATA
    if own.is_file():
        return own
    # Metadata may be of another kind, captions for example; the pictures then have no labels
    return metadata if metadata.is_file() and set(_columns(metadata)) & set(_LABELS) else None


def _columns(table: Path) -> Sequence[str]:
    return head_of(read_text(table, maximum=_MAX_BYTES))


def _rows(table: Path, split: str) -> Iterator[tuple[_Row, bool]]:
    """Yield the lines of a table, with whether they may have several labels."""
    read = read_delimited(read_text(table, maximum=_MAX_BYTES), str(table))
    columns = {name: place for place, name in enumerate(read.names)}
    file_column = next((name for name in _FILES if name in columns), None)
    label_column = next((name for name in _LABELS if name in columns), None)
    if file_column is None or label_column is None:
        raise DataError(f"{table} has the columns {', '.join(columns)}; it needs file and labels")
    several = label_column == "labels"
    for number, row in zip(read.lines, read.rows, strict=True):
        where = f"line {number} of {table}"
        labels = _labels(row[columns[label_column]], several, where)
        own = _split_of(row[columns["split"]], where) if "split" in columns else split
        yield _Row(where, _picture(table.parent, row[columns[file_column]], where), labels, own), several


def _labels(text: str, several: bool, where: str) -> tuple[str, ...]:
    if several:
        return tuple(dict.fromkeys(label.strip() for label in text.split("|") if label.strip()))
    if not text.strip():
        raise DataError(f"{where} has no label; write one, or call the column labels if a picture may have none")
    return (text.strip(),)


def _split_of(name: str, where: str) -> str:
    if name.strip().lower() not in SPLITS:
        raise DataError(f"{where} has the split {name!r}; write train, validation or test")
    return SPLITS[name.strip().lower()]


def _picture(folder: Path, name: str, where: str) -> Path:
    if (path := inside(folder, name)) is None:
        raise DataError(f"{where} names {name!r}, which is outside {folder}; write it relative to the table")
    if not path.is_file():
        raise DataError(f"{where} lists the image {name}, which does not exist; check it")
    return path


def _paths_by_split(folder: Path, rows: Sequence[_Row]) -> dict[str, list[Path]]:
    """Return the pictures of each split: by the table, or else by folders called train and test, or else of all."""
    splits = {row.path: row.split for row in rows}
    if set(splits.values()) == {ALL}:
        tops = {path: SPLITS.get(path.relative_to(folder).parts[0].lower()) for path in splits}
        named = {path: top for path, top in tops.items() if top is not None}
        if len(named) == len(tops) and {"train"} < set(named.values()):
            splits = named
    found: dict[str, list[Path]] = {}
    for path in sorted(splits):
        found.setdefault(splits[path], []).append(path)
    found = with_test(found)
    if ALL not in found and (missing := set(needed_splits()) - found.keys()):
        raise DataError(f"the tables in {folder} have no {' and no '.join(sorted(missing))} split; add pictures to it")
    return found
