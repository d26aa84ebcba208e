"""Pictures that are decoded each time they are asked for, for sets that are larger than memory."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.data.arrays import Images
from zoo.data.images.pictures import Source, decode_all
from zoo.data.images.scaling import STRETCHED, Scaling


class UndecodedImages:
    """Look like an array of uint8, (samples, channels, height, width), that is indexed by arrays of places."""

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(
        self,
        sources: Sequence[Source],
        image_size: tuple[int, int],
        channels: int,
        indices: NDArray[np.int64] | None = None,
        scaling: Scaling = STRETCHED,
    ) -> None:
        self._sources = sources
        self._scaling = scaling
        self._indices = np.arange(len(sources)) if indices is None else indices
        self.shape = (len(self._indices), channels, *image_size)

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: NDArray[np.int64]) -> Images:
        """Decode these pictures, one after the other: whoever asks for many at once has workers of its own."""
        sources = [self._sources[place] for place in self._indices[index].tolist()]
        return decode_all(sources, self.shape[2:], self.shape[1], scaling=self._scaling, threads=1)[0]

    def source(self, place: int) -> Source:
        """Return where a picture comes from."""
        return self._sources[int(self._indices[place])]

    def take(self, index: NDArray[np.int64]) -> "UndecodedImages":
        """Return the pictures at these places, as undecoded as before."""
        return UndecodedImages(self._sources, self.shape[2:], self.shape[1], self._indices[index], self._scaling)
