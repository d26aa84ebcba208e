"""Files whose tensors two libraries name alike: told apart by what the file is called, or what is assumed is said."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.weights.foreign.nets import LAYOUTS, TENSORS, Written
from zoo.specs.layouts import Layout
from zoo.weights.config import read_config
from zoo.weights.folder import load_weights

FILES = {"net-01234567": {"crop": 0.5, "crop_mode": "center"}}
OTHER = Layout(library="other", models={"net": {}}, interpolation="bilinear", files=FILES, **TENSORS)


@pytest.fixture
def bare(written: Written, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file whose tensors are named as two libraries name them."""
    monkeypatch.setattr(sys.modules["zoo_stranger_models"], "LAYOUTS", (*LAYOUTS, OTHER))
    return written({}) / "model.safetensors"


def scaled(place: Path) -> tuple[float, str]:
    inputs: Any = read_config(place).preprocessing
    return inputs.crop, inputs.interpolation


@pytest.mark.parametrize("name", ["net-01234567.safetensors", "net-01234567/model.safetensors"])
def test_a_file_that_its_library_published(name: str, bare: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = bare.parent / name
    place.parent.mkdir(exist_ok=True)
    bare.rename(place)
    where = place.parent if place.stem == "model" else place
    assert scaled(where) == (0.5, "bilinear")
    load_weights(where)
    assert "alike" not in caplog.text


def test_what_no_file_says_is_told(bare: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert scaled(bare) == (0.875, "bicubic")
    load_weights(bare)
    assert caplog.text.count("timm and other name its tensors alike") == 1
    assert "known are those called as net-01234567" in caplog.text and "as timm does: bicubic" in caplog.text


def test_a_config_beside_it_is_enough(written: Written, bare: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_weights(written({}, {"architecture": "net", "num_classes": 2, "num_features": 4}))
    assert "alike" not in caplog.text
