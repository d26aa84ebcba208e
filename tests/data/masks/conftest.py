"""Small folders of pictures with masks, in every layout."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Write = Callable[..., None]


@pytest.fixture
def write_pair() -> Write:
    """Return a function that writes a picture and its mask, of values that move from file to file."""

    def write(images: Path, masks: Path, name: str, *, values: tuple[int, ...] = (0, 1, 2), size: int = 6) -> None:
        images.mkdir(parents=True, exist_ok=True)
        masks.mkdir(parents=True, exist_ok=True)
        seed = sum(name.encode())
        random = np.random.default_rng(seed)
        Image.fromarray(random.integers(0, 256, (size, size + 2, 3), np.uint8)).save(images / f"{name}.png")
        mask = np.array(values, np.uint8)[(np.arange(size * (size + 2)) + seed) % len(values)]
        Image.fromarray(mask.reshape(size, size + 2)).save(masks / f"{name}.png")

    return write


@pytest.fixture
def street(tmp_path: Path, write_pair: Write) -> Path:
    """Return a folder in SegNet's layout with names of its classes: three that count, and one that does not."""
    folder = tmp_path / "street"
    for split, count in (("train", 4), ("val", 2), ("test", 3)):
        for place in range(count):
            write_pair(folder / split, folder / f"{split}annot", f"{split}{place}", values=(0, 1, 2, 3))
    (folder / "classes.txt").write_text("sky\nUnlabelled\nroad\ncar\n")
    return folder
