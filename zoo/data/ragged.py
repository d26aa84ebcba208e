"""Rows of different lengths in one array."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.drawing import Places

Numbers = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class Ragged:
    """Rows of different lengths in one array: row n is `values[starts[n]:starts[n + 1]]`."""

    values: NDArray[Any]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int] | NDArray[Any]], kind: type[np.generic]) -> "Ragged":
        """Return rows as one array of this type."""
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=starts[1:])
        values = np.empty(starts[-1], kind)
        for row, start, stop in zip(rows, starts[:-1], starts[1:], strict=True):
            values[start:stop] = row
        return cls(values, starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How long each row is."""
        return np.diff(self.starts)

    def padded(self, index: Places, fill: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return these rows, (rows, longest), filled up at their ends, and their lengths.

        Unsigned numbers become int32: torch knows no arithmetic on most of those.
        """
        lengths = self.lengths[index]
        indices = np.arange(int(lengths.max(initial=1)))
        inside = indices < lengths[:, None]
        kind = np.int32 if self.values.dtype.kind == "u" else self.values.dtype
        found = np.full(inside.shape, fill, kind)
        found[inside] = self.values[(self.starts[index, None] + indices)[inside]]
        return found, lengths

    def take(self, index: Places) -> "Ragged":
        """Return the rows at these places."""
        return Ragged.of(
            [self.values[self.starts[place] : self.starts[place + 1]] for place in index], self.values.dtype.type
        )
