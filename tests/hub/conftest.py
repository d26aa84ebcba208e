"""What tests of names from outside share: a Hub that lies, and things that nothing may touch."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.hub.lying import GOOD, LyingHub, lying_hub


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with things that nothing may touch; home and the working folder are in it."""
    folder = tmp_path / "outside"
    for name in ("home", "work"):
        (folder / name).mkdir(parents=True)
        (folder / name / "notes.txt").write_text("mine")
    (folder / "notes.txt").write_text("mine")
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.chdir(folder / "work")
    return folder


@pytest.fixture
def lying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LyingHub]:
    """Serve a Hub of two good files, with an empty cache to pull into."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with lying_hub() as served:
        served.files = dict(GOOD)
        yield served
