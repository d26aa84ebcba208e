"""Commands run in this process, beside a small plugin and weights of it; what differs from run to run is made alike."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.painter import install as install_painter
from tests.cli.painter import make_photos
from tests.inference.text.tiny_writers import install as install_writers
from tests.inference.text.tiny_writers import make_weights as make_writer
from tests.tiny import install, make_weights
from zoo.cli import run
from zoo.registry.registry import default_registry

Says = Callable[..., str]

_DIFFERS = (
    (r"\b[0-9a-f]{64}\b", "SHA256"),
    (r"\b[0-9a-f]{40}\b|(?<= at )[0-9a-f]{7}\b", "COMMIT"),
    (r"http://127\.0\.0\.1:\d+", "URL"),
    (r"(?<=· )\d+ s\b", "N s"),
    (r"\b(mse|loss|accuracy|recall) \d[\d.e-]*", r"\1 #"),
)


@pytest.fixture
def says(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Says:
    """Return a function that runs `zoo` and returns what it prints, or with `code` what it says of a failure."""

    def say(*arguments: str, code: int = 0) -> str:
        default_registry.cache_clear()  # a process of its own would read everything anew
        assert run(arguments) == code, capsys.readouterr().err
        printed, said = capsys.readouterr()
        text = (said if code else printed).replace(str(tmp_path), "TMP")
        for pattern, word in _DIFFERS:
            text = re.sub(pattern, word, text)
        return text

    return say


@pytest.fixture
def tiny(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder that holds `weights` of a tiny model, whose plugin is the only one, beside an empty cache."""
    from huggingface_hub import constants

    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_tiny")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    install(site)
    make_weights(tmp_path / "weights")


@pytest.fixture
def pushed(tiny: None, says: Says) -> str:
    """Push the weights to a Hub in the folder `hub`, and return the repo."""
    says("push", "weights", "me/tiny", "--hub", "hub", "--public")
    return "me/tiny"


@pytest.fixture
def painter(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder that holds `photos`, with a plugin that learns to paint them as the only one."""
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_painter")
    monkeypatch.chdir(tmp_path)
    install_painter(site)
    make_photos(tmp_path / "photos")


@pytest.fixture
def trained(painter: None, says: Says) -> str:
    """Train a painter for a few steps, and return the run's folder."""
    says("pretrain", "painter", "--data", "photos", "--set", "steps=3", "--out", "run")
    return "run"


@pytest.fixture
def writer(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that writes weights that write text, and says in which folder."""
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_writers")
    monkeypatch.chdir(tmp_path)
    install_writers(site)
    return lambda name="continuing", **asked: str(make_writer(tmp_path / name, name, kind="characters", **asked))
