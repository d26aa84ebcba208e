"""Pictures to annotate."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Paint = Callable[..., Path]


@pytest.fixture
def paint() -> Paint:
    """Return a function that writes a picture, of 40 rows and 60 columns and in a shade of its own."""

    def paint(path: Path, size: tuple[int, int] = (40, 60), shade: int | None = None) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        shade = sum(path.as_posix().encode()) % 256 if shade is None else shade
        Image.fromarray(np.full((*size, 3), shade, np.uint8)).save(path)
        return path

    return paint
