"""Weights in several files, which an index lists: read together, or refused in one line."""

import json
from pathlib import Path
from typing import Any

import files
import h5py
import numpy as np
import pytest
from zoo_keras.container import open_file

import zoo

SHARDS = {"model_00000.weights.h5": ("conv", "norm"), "model_00001.weights.h5": ("out",)}


def write_shards(folder: Path) -> Path:
    """Write the weights of `files` in two shards, with the index that Keras writes."""
    places: dict[str, Any] = {}
    for shard, layers in SHARDS.items():
        with h5py.File(folder / shard, "w") as file:
            files.fill(file)
            for name, path in files.PATHS.items():
                if name not in layers:
                    del file[f"layers/{path}"]
                else:
                    places[f"/layers/{path}/vars"] = [shard]
    places["/layers/conv2d/vars"] = "model_00000.weights.h5"  # Keras has a text in the place of a list, too
    size = sum(value.nbytes for value in files.weights().values())
    index = {"metadata": {"total_size": float(size)}, "weight_map": places}
    (folder / "model.weights.json").write_text(json.dumps(index))
    return folder / "model.weights.json"


def test_shards_are_read_together(tmp_path: Path) -> None:
    found = open_file(write_shards(tmp_path))
    loaded = found.load()
    assert loaded.keys() == files.weights().keys()
    for name, value in files.weights().items():
        assert np.array_equal(loaded[name].numpy(), value), name


def test_links_as_a_cache_has_them_are_followed(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    path = write_shards(tmp_path / "blobs")
    for file in path.parent.iterdir():
        (tmp_path / "snapshot" / file.name).symlink_to(file)
    assert open_file(tmp_path / "snapshot" / path.name).headers.keys() == files.weights().keys()


def elsewhere(folder: Path, index: dict[str, Any]) -> None:
    index["weight_map"]["/layers/dense/vars"] = ["../x.weights.h5"]


def missing(folder: Path, index: dict[str, Any]) -> None:
    (folder / "model_00001.weights.h5").unlink()


def link_out(folder: Path, index: dict[str, Any]) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "model_00001.weights.h5").rename(folder / "elsewhere" / "x")
    (folder / "model_00001.weights.h5").symlink_to(folder / "elsewhere" / "x")


def unlisted(folder: Path, index: dict[str, Any]) -> None:
    index["weight_map"]["/layers/dense/vars"] = ["model_00000.weights.h5"]
    index["weight_map"]["/layers/other/vars"] = ["model_00001.weights.h5"]


def twice(folder: Path, index: dict[str, Any]) -> None:
    (folder / "model_00001.weights.h5").write_bytes((folder / "model_00000.weights.h5").read_bytes())
    index["weight_map"] = {key: list(SHARDS) for key in index["weight_map"]}


def of_another_size(folder: Path, index: dict[str, Any]) -> None:
    index["metadata"]["total_size"] = 5


def without_a_map(folder: Path, index: dict[str, Any]) -> None:
    del index["weight_map"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (elsewhere, r"lists '\.\./x.weights.h5', which is no shard's name"),
        (missing, "lists 'model_00001.weights.h5', which does not lie beside it"),
        (link_out, "lists 'model_00001.weights.h5', which does not lie beside it"),
        (unlisted, "does not list 'layers/dense/vars/0', which lies in 'model_00001.weights.h5'"),
        (twice, "has 'layers/conv2d/vars/0' in two shards|has 'layers/batch_normalization/vars/0' in two shards"),
        (of_another_size, r"announces 5 bytes of arrays, but they are [\d,]+;"),
        (without_a_map, "has no weight_map"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(tmp_path: Path, change: Any, why: str) -> None:
    path = write_shards(tmp_path)
    index = json.loads(path.read_text())
    change(tmp_path, index)
    path.write_text(json.dumps(index))
    with pytest.raises(zoo.IntegrityError, match=why) as caught:
        open_file(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
