"""Weights in shards: mapped like one file, and refused when the index and the shards disagree."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.weights.stored import split_weights, stored_tensors

INDEX = "model.safetensors.index.json"
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    save_file({"a": torch.arange(4.0), "b": torch.ones(2, 2), "c": torch.zeros(3)}, folder / "model.safetensors")
    split_weights(folder, 32)
    return folder


def edit(folder: Path, **changes: Any) -> None:
    index = json.loads((folder / INDEX).read_text())
    for key, value in changes.items():
        index[key] = {**index[key], **value}
    (folder / INDEX).write_text(json.dumps(index))


def test_shards_hold_what_the_file_held(sharded: Path) -> None:
    assert sorted(path.name for path in sharded.iterdir()) == [FIRST, SECOND, INDEX]
    tensors = stored_tensors(sharded).load()
    assert torch.equal(tensors["a"], torch.arange(4.0)) and torch.equal(tensors["c"], torch.zeros(3))
    assert json.loads((sharded / INDEX).read_text())["metadata"] == {"total_size": 44}


def test_shards_become_one_file_again(sharded: Path) -> None:
    split_weights(sharded, 1000)
    assert [path.name for path in sharded.iterdir()] == ["model.safetensors"]
    assert sorted(load_file(sharded / "model.safetensors")) == ["a", "b", "c"]


def test_tensor_larger_than_a_shard(sharded: Path) -> None:
    with pytest.raises(UsageError, match="'a' has 16 bytes"):
        split_weights(sharded, 15)


def test_each_shard_is_mapped_once(sharded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = []
    monkeypatch.setattr(
        "safetensors.torch.load_file", lambda path, device: mapped.append(path.name) or load_file(path, device)
    )
    stored_tensors(sharded).load()
    assert mapped == [FIRST, SECOND]


@pytest.mark.parametrize(
    "name", ["../x.safetensors", "/etc/passwd", "C:\\x", "\\\\host\\s", "a/b.safetensors", "", "x"]
)
def test_042_shard_that_is_no_plain_name(sharded: Path, name: str) -> None:
    edit(sharded, weight_map={"a": name})
    with pytest.raises(IntegrityError, match="not a plain safetensors file name"):
        stored_tensors(sharded)


def test_043_shard_is_a_link_out(sharded: Path, tmp_path: Path) -> None:
    os.replace(sharded / SECOND, tmp_path / "elsewhere")
    (sharded / SECOND).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="link out of its folder"):
        stored_tensors(sharded)


def test_043_links_of_the_hugging_face_cache_are_no_way_out(sharded: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "models--org--thing" / "snapshots" / "abc"
    blobs = tmp_path / "models--org--thing" / "blobs"
    snapshot.mkdir(parents=True), blobs.mkdir()
    for file in sharded.iterdir():
        os.replace(file, blobs / file.name)
        (snapshot / file.name).symlink_to(f"../../blobs/{file.name}")
    assert sorted(stored_tensors(snapshot).headers) == ["a", "b", "c"]


def test_044_missing_shard(sharded: Path) -> None:
    (sharded / SECOND).unlink()
    with pytest.raises(NotFoundError, match=SECOND):
        stored_tensors(sharded)


def test_045_tensor_in_two_shards(sharded: Path) -> None:
    save_file({"b": torch.ones(2, 2), "c": torch.zeros(3)}, sharded / SECOND)
    with pytest.raises(IntegrityError, match="'b' lies in two shards"):
        stored_tensors(sharded)


def test_046_tensor_that_is_not_where_the_index_says(sharded: Path) -> None:
    edit(sharded, weight_map={"a": SECOND})
    with pytest.raises(IntegrityError, match=f"'a' lies in {SECOND[:6]}|'a' is not in|'a' lies in {FIRST}, unlisted"):
        stored_tensors(sharded)
    edit(sharded, weight_map={"a": FIRST, "d": FIRST})
    with pytest.raises(IntegrityError, match=f"'d' is not in {FIRST}"):
        stored_tensors(sharded)


def test_047_total_size_that_lies(sharded: Path) -> None:
    edit(sharded, metadata={"total_size": 45})
    with pytest.raises(IntegrityError, match="announces 45 bytes of tensors, but they are 44"):
        stored_tensors(sharded)


def test_048_ten_thousand_shards(sharded: Path) -> None:
    edit(sharded, weight_map={f"t{place}": f"model-{place}.safetensors" for place in range(10_000)})
    with pytest.raises(IntegrityError, match=r"lists 10,00\d shards"):
        stored_tensors(sharded)


def test_049_unlisted_shard_is_ignored_and_said(sharded: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_file({"a": torch.ones(1)}, sharded / "model-00003-of-00002.safetensors")
    assert sorted(stored_tensors(sharded).headers) == ["a", "b", "c"]
    assert "model-00003-of-00002.safetensors, which is ignored" in caplog.text


def test_both_one_file_and_shards(sharded: Path) -> None:
    save_file({"a": torch.ones(1)}, sharded / "model.safetensors")
    with pytest.raises(IntegrityError, match="holds both"):
        stored_tensors(sharded)


@pytest.mark.parametrize("text", ["{}", '{"weight_map": []}', '{"weight_map": {}}', '{"weight_map": {"a": 1}}', "["])
def test_broken_index(sharded: Path, text: str) -> None:
    (sharded / INDEX).write_text(text)
    with pytest.raises(IntegrityError):
        stored_tensors(sharded)
