"""What arrays of data hold, by name."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Labels = NDArray[Any]
Boxes = NDArray[np.float32]


class OwnSizeMasks(Protocol):
    """Masks of several sizes, which are decoded when they are asked for."""

    @property
    def largest(self) -> int:
        """The pixels of the largest mask."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: NDArray[np.int64]) -> Images:
        """Return the masks at these places, filled up to the largest of them with what does not count."""
        ...

    def take(self, index: NDArray[np.int64]) -> "OwnSizeMasks":
        """Return the masks at these places, as undecoded as before."""
        ...

    def placed(self, table: NDArray[np.uint8]) -> "OwnSizeMasks":
        """Return the masks with another class for each class."""
        ...


CROWD, DIFFICULT = 1, 2
"""Why a box is not scored, in its sixth column: COCO's crowd holds any number of things, VOC's difficult is one."""


def taken(values: Any, index: NDArray[np.int64]) -> Any:
    """Return the rows at these places: of an array, or of what is decoded when it is asked for, undecoded."""
    return values[index] if isinstance(values, np.ndarray) else values.take(index)
