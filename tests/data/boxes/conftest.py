"""Pictures to annotate."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Paint = Callable[..., Path]


@pytest.fixture
def paint() -> Paint:
    """Return a function that writes a picture, of 40 rows and 60 columns unless said otherwise."""

    def paint(path: Path, size: tuple[int, int] = (40, 60), shade: int = 90) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((*size, 3), shade, np.uint8)).save(path)
        return path

    return paint
