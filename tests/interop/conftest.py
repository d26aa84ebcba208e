"""What the comparisons with other libraries share."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zoo
from tests.interop.photographs import write_photographs
from zoo.weights.folder import save_weights
from zoo.weights.inputs import Preprocessing

LABELS = ("ant", "bee", "cat", "dog", "eel")


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return photographs of odd sizes as JPEG and PNG."""
    return write_photographs(tmp_path_factory.mktemp("photographs"))


@pytest.fixture
def pictures() -> Tensor:
    """Return two pictures."""
    return torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def randomised() -> Callable[[nn.Module], Any]:
    """Return a function that gives a model weights which hide nothing: no scale of one, no statistics of zero."""

    def randomise(model: nn.Module) -> nn.Module:
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for tensor in model.state_dict().values():
                if tensor.ndim == 1 or tensor.numel() == max(tensor.shape, default=0):
                    tensor.uniform_(0.5, 1.5, generator=generator)
        return model.eval()

    return randomise


@pytest.fixture
def saved(tmp_path: Path, randomised: Any) -> Callable[..., tuple[Path, Any]]:
    """Return a function that saves a model of ours with random weights, and returns folder and model."""

    def save(name: str, **arguments: Any) -> tuple[Path, Any]:
        arguments = {"num_classes": len(LABELS), **arguments}
        model = randomised(zoo.create(name, **arguments))
        inputs = Preprocessing(
            image_size=(96, 96), channels=arguments.get("channels", 3), mean=(0.4,), std=(0.3,), crop=0.9
        )
        save_weights(tmp_path / "ours", model, model_name=name, arguments=arguments, labels=LABELS, inputs=inputs)
        (tmp_path / "ours" / "README.md").write_text("---\nlicense: apache-2.0\n---\n\n# A model\n")
        return tmp_path / "ours", model

    return save


@pytest.fixture
def assert_alike(pictures: Tensor) -> Callable[..., None]:
    """Return a function that compares what two models make of pictures, within 1e-4 of the largest logit.

    Random weights of a deep net make rounding grow; where it passes that, what they make in float64 tells it from a
    difference, within 1e-9.
    """

    def apart(ours: Any, theirs: Any, inputs: Tensor) -> float:
        with torch.no_grad():
            mine, other = ours.eval()(inputs), theirs.eval()(inputs)
        other = getattr(other, "logits", other)
        return float((mine - other).abs().max() / other.abs().max())

    def compare(ours: Any, theirs: Any, inputs: Tensor = pictures) -> None:
        error, most = apart(ours, theirs, inputs), 1e-4
        if error >= most:
            error, most = apart(deepcopy(ours).double(), deepcopy(theirs).double(), inputs.double()), 1e-9
        assert error < most, f"logits differ by {error:.1e} of the largest"

    return compare
