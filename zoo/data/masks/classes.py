"""What the values of masks mean: the names of classes, and which values do not count."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.augmentation.masks import IGNORED
from zoo.data.text_files import read_text, split_lines
from zoo.errors import DataError

NAMES_FILE = "classes.txt"
_NOT_COUNTED = ("unlabelled", "unlabeled", "void", "ignore", "ignored")
_UNKNOWN = -1
_OBJECTS = 3
"""So many values in one mask, at least, look like numbers of objects."""
VOC_CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


@dataclass(frozen=True)
class Values:
    """The classes, and for each value of a file its class, `IGNORED`, or -1 for one that is not known."""

    classes: tuple[str, ...]
    table: NDArray[np.int16]
    source: str

    def unknown(self, present: NDArray[np.bool_]) -> int | None:
        """Return a value that is present, as flags for all 256, and not known."""
        found = np.flatnonzero(present & (self.table == _UNKNOWN))
        return int(found[0]) if found.size else None

    def how_to_know(self, value: int) -> str:
        """Return the end of the sentence that says why a value is not known, and what to do."""
        if self.source.endswith(NAMES_FILE):
            return f"for which {self.source} has no line; name the class there, or write void if it is not to count"
        return f"which no training mask has; fix it, or name the classes in {self.source}/{NAMES_FILE}, one a line"

    def counted(self, present: NDArray[np.bool_]) -> bool:
        """Tell whether any of the values that are present is a class."""
        return bool((present & (self.table != IGNORED) & (self.table != _UNKNOWN)).any())


def named_values(path: Path) -> Values:
    """Return what a file says that has one name a line, the first for value 0.

    255 never counts, nor does a value whose line is one of unlabelled, void or ignore.
    """
    names = [line.strip() for line in split_lines(read_text(path).rstrip())]
    if not 0 < len(names) <= IGNORED:
        raise DataError(f"{path} has {len(names)} names; give one a line, 255 at the most")
    if "" in names:
        raise DataError(f"line {names.index('') + 1} of {path} is empty; name the class, or write void")
    classes = [name for name in names if name.lower() not in _NOT_COUNTED]
    if double := next((name for name in classes if classes.count(name) > 1), None):
        raise DataError(f"{path} names {double!r} twice; give each class a name of its own")
    table = _empty_table()
    places = iter(range(len(classes)))
    for value, name in enumerate(names):
        table[value] = IGNORED if name.lower() in _NOT_COUNTED else next(places)
    return Values(tuple(classes), table, str(path))


def found_values(present: NDArray[np.bool_], names: Sequence[str], source: str) -> Values:
    """Return as classes the values that are present in training masks, called by `names`, or else by their numbers."""
    values = [value for value in np.flatnonzero(present).tolist() if value != IGNORED]
    table = _empty_table()
    table[values] = np.arange(len(values))
    return Values(tuple(_called(values, names)), table, source)


def number_objects(present: NDArray[np.bool_]) -> bool:
    """Tell whether values, flags for each mask and all 256, look like objects numbered from 1 on in each picture.

    Each mask then has all values up to its own highest one, and that differs: classes leave gaps.
    """
    values = present[:, 1:IGNORED]
    counts = values.sum(1)
    highest = np.where(counts > 0, values.shape[1] - values[:, ::-1].argmax(1), 0)
    return bool((counts == highest).all() and counts.max() >= _OBJECTS and len(np.unique(counts[counts > 0])) > 1)


def names_file(folder: Path) -> Path | None:
    """Return the file with the names of classes, in the folder or in the one above."""
    return next((path for path in (folder / NAMES_FILE, folder.resolve().parent / NAMES_FILE) if path.is_file()), None)


def _called(values: Iterable[int], names: Sequence[str]) -> list[str]:
    values = list(values)
    return [names[value] for value in values] if max(values, default=0) < len(names) else [str(v) for v in values]


def _empty_table() -> NDArray[np.int16]:
    table = np.full(256, _UNKNOWN, np.int16)
    table[IGNORED] = IGNORED
    return table
