from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zoo


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Return a small classifier of pictures."""
    arguments = {"widths": [8, 8, 8, 8], "num_classes": 2}
    torch.manual_seed(0)
    model = zoo.create("resnet18", **arguments)
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=3, mean=(0.5,) * 3, std=(0.25,) * 3)
    return zoo.save(model, tmp_path / "weights", task="image-classification", labels=("dark", "light"), inputs=inputs)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder of pictures of two classes."""
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for place, name in enumerate(("dark", "light")):
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for number in range(4):
                pixels = np.clip(random.normal(150 * place + 40, 10, (32, 32, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(tmp_path / "data" / split / name / f"{number}.png")
    return tmp_path / "data"
