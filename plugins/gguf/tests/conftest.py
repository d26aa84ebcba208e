"""Fixtures that these tests share."""

from pathlib import Path

import pytest

from plugins.gguf.tests.made import save
from zoo.testing import served_hub as served_hub


@pytest.fixture(params=["llama", "gpt2", "llama untied"])
def weights(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a small weights folder."""
    name, _, untied = request.param.partition(" ")
    return save(tmp_path / "weights", name, **({"tied": False} if untied else {}))
