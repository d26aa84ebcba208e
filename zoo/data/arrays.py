"""What arrays of data hold, by name."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Labels = NDArray[Any]
Boxes = NDArray[np.float32]
