"""What arrays of data hold, by name."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Labels = NDArray[Any]
Boxes = NDArray[np.float32]
CROWD, DIFFICULT = 1, 2
"""Why a box is not scored, in its sixth column: COCO's crowd holds any number of things, VOC's difficult is one."""
