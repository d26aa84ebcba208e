"""A pipe in the place of a file of weights is refused at once: reading it would never end."""

import os
from pathlib import Path
from typing import Any

import pytest

import zoo
from tests.tiny import install, make_weights
from zoo.errors import ZooError
from zoo.weights.config import read_config
from zoo.weights.description import read_json
from zoo.weights.header import read_header
from zoo.weights.shards import read_index
from zoo.weights.tokenizer import read_tokenizer

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("config.json", read_json),
        ("config.json", read_config),
        ("model.safetensors", lambda folder: read_header(folder / "model.safetensors")),
        ("model.safetensors.index.json", read_index),
        ("tokenizer.json", read_tokenizer),
    ],
)
def test_121_a_pipe_in_the_place_of_a_file_of_weights(name: str, read: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(ZooError, match=f"{name} is a pipe or a device and no file") as caught:
        read(tmp_path)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_121_weights_with_a_pipe_are_not_loaded(name: str, tmp_path: Path, site: Any) -> None:
    install(site)
    make_weights(tmp_path / "w")
    (tmp_path / "w" / name).unlink()
    os.mkfifo(tmp_path / "w" / name)
    with pytest.raises(ZooError, match=f"{name} is a pipe or a device and no file"):
        zoo.load(str(tmp_path / "w"))


def test_121_a_pipe_is_no_weights(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ZooError, match="fifo"):
        zoo.load(str(tmp_path / "fifo"))
