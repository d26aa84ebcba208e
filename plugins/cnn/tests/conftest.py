"""The embedded Hub, a classifier that others can learn from, and a random state that each test has to itself."""

from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo.testing import served_hub as served_hub
from zoo.weights.folder import save_weights


@pytest.fixture(scope="session")
def trained_teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return weights that tell three classes of grey pictures of 12 pixels."""
    folder = tmp_path_factory.mktemp("teacher") / "weights"
    arguments = {"depth": 1, "widths": [4, 8, 16], "channels": 1, "num_classes": 3}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = zoo.create("resnet20", **arguments)
    inputs = zoo.Preprocessing(image_size=(12, 12), channels=1)
    labels = ("round", "square", "long")
    save_weights(folder, model, model_name="resnet20", arguments=arguments, labels=labels, inputs=inputs)
    return folder


@pytest.fixture(autouse=True)
def _own_random_state() -> Any:
    with torch.random.fork_rng(devices=[]):
        yield
