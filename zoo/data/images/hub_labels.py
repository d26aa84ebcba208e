"""The labels in the tables of a Hub's data set: found, compared between splits, and numbered as the classes are."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.arrays import Labels
from zoo.data.images.hub_tables import Table
from zoo.errors import DataError

_USUAL = ("label", "labels", "class", "category")
_KINDS = ("int", "uint", "bool", "float", "double", "string", "large_string")
_HIDDEN = (None, -1)
_log = logging.getLogger("zoo")


@dataclass(frozen=True)
class HubLabels:
    """The column, what classes it has, and the class of each row by split: of those that do not hide it.

    `hidden` says that there is a column, which hides them all.
    """

    column: str | None = None
    classes: tuple[str, ...] = ()
    targets: Mapping[str, Labels] | None = None
    hidden: bool = False

    def shown(self, split: str) -> bool:
        """Tell whether a split can be used: where there are labels, it has them."""
        return self.targets is None or split in self.targets


def read_labels(tables: Mapping[str, Table], address: str) -> HubLabels:
    """Return the labels of all splits: those of the first column of class labels, or else of one called `label`.

    Names are those that each file gives; numbers, and names that are written out, are classes as they are in the
    training rows. A split without any label, or with -1 throughout, hides them. Raise DataError for a row without a
    label among others, and for a label that no training row can have.
    """
    first = "train" if "train" in tables else next(iter(tables))
    column, names = _column(tables[first])
    if column is None:
        return HubLabels()
    found = {split: _whole(table.labels(column)) for split, table in tables.items()}
    hidden = [split for split, values in found.items() if all(value in _HIDDEN for value in values)]
    if first in hidden:
        return HubLabels(hidden=True)
    for split in hidden:
        _log.warning("%s hides the labels of its %s split, which is left out", address, split)
    classes = names or sorted(set(found[first]) - {None}, key=lambda value: (str(type(value)), value))
    indices = {label: place for place, label in enumerate(classes)}
    targets = {
        split: _numbered(values, indices, f"{address} {split}")
        for split, values in found.items()
        if split not in hidden
    }
    return HubLabels(column, tuple(map(str, classes)), targets)


def _column(table: Table) -> tuple[str | None, Sequence[Any]]:
    """Return the column of labels, and what its classes are called where that is known."""
    from datasets import ClassLabel

    for name, feature in table.features.items():
        if isinstance(feature, ClassLabel):
            return name, feature.names
    kinds = {name: str(getattr(table.features.get(name), "dtype", "")) for name in _USUAL}
    return next((name for name, kind in kinds.items() if kind.startswith(_KINDS)), None), ()


def _whole(values: Sequence[Any]) -> list[Any]:
    """Return floats that are whole as whole numbers: 1 and 1.0 are one class."""
    return [int(value) if isinstance(value, float) and value.is_integer() else value for value in values]


def _numbered(values: Sequence[Any], indices: Mapping[Any, int], where: str) -> Labels:
    found = np.empty(len(values), np.int64)
    for row, value in enumerate(values):
        if value is None:
            raise DataError(f"{where} row {row} has no label; choose another revision, or tell its owner")
        if value not in indices:
            raise DataError(f"{where} row {row} has the label {value!r}, which no training row has; choose other data")
        found[row] = indices[value]
    return found
