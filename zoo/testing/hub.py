"""The embedded Hub as a pytest fixture."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from zoo.hub.server.serving import ServedHub, serve_folder


@pytest.fixture
def served_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedHub]:
    """Serve an empty Hub on loopback, with an empty cache to pull into; HF_ENDPOINT names it, HF_TOKEN is its."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with serve_folder(tmp_path / "hub") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", hub.token)
        yield hub
