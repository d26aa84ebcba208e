from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.inference.embedding.seer import install, make_weights


@pytest.fixture
def weights(site: Any, tmp_path: Path) -> Callable[..., Path]:
    install(site)
    return lambda name="seer", **inputs: make_weights(tmp_path / name, name, **inputs)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder of nine images of several sizes, three of each of three classes."""
    random = np.random.default_rng(0)
    for place in range(9):
        folder = tmp_path / "photos" / "abc"[place // 3]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (30 + place, 40, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{place}.png")
    return tmp_path / "photos"
