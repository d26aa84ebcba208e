"""Small weights to explain: a classifier by convolutions and one by patches, with random weights that hide nothing."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.testing import served_hub as served_hub

sys.path.insert(0, str(Path(__file__).parent))

LABELS = ("ant", "bee", "cat")


def made(name: str, folder: Path, **arguments: Any) -> Path:
    """Save a model of random weights, those of norms away from one and zero."""
    random = torch.Generator().manual_seed(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = zoo.create(name, num_classes=3, channels=3, **arguments)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.ndim == 1:
                tensor.uniform_(0.5, 1.5, generator=random)
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=3, mean=(0.4,), std=(0.3,))
    zoo.save(model, folder, task="image-classification", labels=LABELS, inputs=inputs)
    return folder


@pytest.fixture(scope="session")
def convolutions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("resnet20", tmp_path_factory.mktemp("cnn") / "weights", depth=1, widths=[4, 8, 16])


@pytest.fixture(scope="session")
def patches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = {"width": 16, "depth": 3, "num_heads": 2, "mlp_width": 32, "image_size": 32, "patch_size": 8}
    return made("vit", tmp_path_factory.mktemp("vit") / "weights", **sizes)


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Return two photographs of noise, of odd sizes."""
    random = np.random.default_rng(0)
    paths = [tmp_path / "wide.png", tmp_path / "tall.jpg"]
    for path, size in zip(paths, ((40, 70), (90, 35)), strict=True):
        Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
    return paths


@pytest.fixture(scope="session")
def trigger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a classifier of texts whose classes one hidden word decides."""
    from words import classifier

    return classifier(tmp_path_factory.mktemp("trigger") / "weights", steps=60)
