"""What the tests of generation share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from tests.inference.text.tiny_writers import install, make_weights


@pytest.fixture
def writers(site: Any) -> Callable[..., Any]:
    """Return a function that makes one of the small models."""
    install(site)
    return lambda name, **arguments: zoo.create(name, **arguments)


@pytest.fixture
def weights(site: Any, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a weights folder of one of the small models."""
    install(site)
    return lambda name="continuing", **asked: make_weights(tmp_path / name, name, **asked)


@pytest.fixture
def ids() -> torch.Tensor:
    """Return four rows of nine tokens."""
    return torch.randint(5, 40, (4, 9), generator=torch.Generator().manual_seed(0))
