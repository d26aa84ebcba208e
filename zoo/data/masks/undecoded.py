"""Masks in the sizes of their files, decoded each time they are asked for: what is measured on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.data.arrays import Images
from zoo.data.augmentation.masks import IGNORED
from zoo.data.images.pictures import strict_pillow
from zoo.data.masks.decoding import read_mask
from zoo.data.masks.layouts import Pair


class UndecodedMasks:
    """Masks by their places, filled up to the largest of those that are asked for with what does not count.

    `table` says which class each value of the files is, and `sizes`, (samples, 2), are heights and widths.
    """

    def __init__(self, pairs: Sequence[Pair], table: NDArray[np.uint8], sizes: NDArray[np.int64]) -> None:
        self.sizes = sizes
        self._pairs = pairs
        self._table = table

    def __len__(self) -> int:
        return len(self._pairs)

    @property
    def largest(self) -> int:
        """The pixels of the largest mask."""
        return int(self.sizes.prod(1).max(initial=1))

    def __getitem__(self, index: NDArray[np.int64]) -> Images:
        """Decode the masks at these places, (samples, most rows, most columns)."""
        height, width = self.sizes[index].max(0, initial=1).tolist()
        found = np.full((len(index), height, width), IGNORED, np.uint8)
        with strict_pillow():
            for row, place in zip(found, index.tolist(), strict=True):
                mask, _ = read_mask(self._pairs[place])
                row[: mask.shape[0], : mask.shape[1]] = self._table[mask]
        return found

    def take(self, index: NDArray[np.int64]) -> "UndecodedMasks":
        """Return the masks at these places, as undecoded as before."""
        return UndecodedMasks([self._pairs[place] for place in index.tolist()], self._table, self.sizes[index])

    def placed(self, table: NDArray[np.uint8]) -> "UndecodedMasks":
        """Return the masks with another class for each class."""
        return UndecodedMasks(self._pairs, table[self._table], self.sizes)
