"""What a path, a name and an address mean: what lies here comes first, and nothing is fetched for a typing error."""

from pathlib import Path
from typing import Any

import pytest

import zoo
from tests.tiny import install, make_weights
from zoo.errors import IntegrityError, NotFoundError, UsageError, ZooError
from zoo.weights.find import WeightsQuery, find_weights, local_path, resolve_source


@pytest.fixture(autouse=True)
def here(tmp_path: Path, site: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_tiny")
    monkeypatch.setenv("ZOO_HUB", "http://127.0.0.1:9")  # whoever asks it fails otherwise than these tests expect
    monkeypatch.chdir(tmp_path)
    install(site)
    make_weights(tmp_path / "w" / "model")
    return tmp_path


def test_a_folder_whose_path_looks_like_a_repo() -> None:
    assert find_weights("w/model") == Path("w/model")
    zoo.load("w/model")


def test_a_file_whose_path_looks_like_a_repo(here: Path) -> None:
    (here / "w" / "model.th").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(IntegrityError, match="w/model.th is a pickle.*zoo convert w/model.th --out w/model"):
        zoo.load("w/model.th")


@pytest.mark.parametrize("source", ["w/modle", "w/modle@v1", "w/nothing.x"])
def test_nothing_here_though_the_first_part_is_a_folder(source: str) -> None:
    with pytest.raises(NotFoundError, match=f"w is a folder here; check the path.*hf://{source}"):
        zoo.load(source)


@pytest.mark.parametrize("source", ["./a", "~/a", "/a/b", "a/", "a/b/c", "model.safetensors", "a/model.pth", "x.gguf"])
def test_what_can_only_be_a_path(source: str) -> None:
    with pytest.raises(NotFoundError, match="no (file|folder) "):
        zoo.load(source)


@pytest.mark.parametrize("source", ["tiny.demo", "org/name", "org/name@v1.0", "hf://w/model", "dist://a/b.safetensors"])
def test_what_is_no_path(source: str) -> None:
    assert local_path(source) is None


@pytest.mark.parametrize("call", [zoo.pull, lambda source: resolve_source(source, WeightsQuery())])
def test_nothing_is_pulled_for_what_lies_here(call: Any) -> None:
    with pytest.raises(UsageError, match="w/model lies here.*hf://w/model"):
        call("w/model")


def test_verify_reads_the_same_addresses(here: Path) -> None:
    assert zoo.verify("w/model").hashed == 0
    assert zoo.verify("w/model/model.safetensors").tensors == 4
    with pytest.raises(NotFoundError, match="w is a folder here"):
        zoo.verify("w/modle")


OTHERS = {
    "model.gguf": b"GGUF\x03" + bytes(40),
    "model.onnx": b"\x08\x07" + bytes(40),
    "model.h5": b"\x89HDF\r\n\x1a\n" + bytes(40),
    "model.pth": b"\x80\x02}q\x00.",
    "pytorch_model.bin": b"PK\x03\x04" + bytes(40),
    "model.npz": b"PK\x03\x04" + bytes(40),
    "model.bin": (2).to_bytes(8, "little") + b"{}" + bytes(40),
    "model.pt": b"version https://git-lfs.github.com/spec/v1\n",
    "model.ckpt": b"\n\n<!DOCTYPE html><html>",
    "weights.pt": b'{"error": "Repository not found"}',
    "weights.bin": b"Entry not found",
}
TOLD = "GGUF|ONNX|HDF5|zoo convert|rename it|Git-LFS|web page|JSON that begins|a text that begins"


@pytest.mark.parametrize("name", OTHERS)
def test_124_a_file_is_told_what_it_is(name: str, here: Path) -> None:
    (here / name).write_bytes(OTHERS[name])
    with pytest.raises(IntegrityError, match=TOLD):
        zoo.load(name)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("config", [False, True])
def test_124_a_folder_of_it_is_told(name: str, config: bool, here: Path) -> None:
    (here / "got").mkdir()
    (here / "got" / name).write_bytes(OTHERS[name])
    if config:
        (here / "got" / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(IntegrityError, match=f"holds no safetensors, but {name}.*({TOLD})"):
        zoo.load("got")


@pytest.mark.parametrize("beginning", [b"<?xml version", b"\xef\xbb\xbf<html>", b'{"error":"no"}', b"Not Found"])
def test_124_an_answer_of_a_server_in_the_place_of_weights(beginning: bytes, here: Path) -> None:
    (here / "model.safetensors").write_bytes(beginning + b" " * 40)
    with pytest.raises(IntegrityError, match="no weights; download it again"):
        zoo.load("model.safetensors")


def test_a_file_of_something_else(here: Path) -> None:
    (here / "notes.txt").write_text("nothing of that kind")
    with pytest.raises(NotFoundError, match="notes.txt is no file of weights; give a run"):
        zoo.load("notes.txt")


def test_a_folder_of_something_else(here: Path) -> None:
    with pytest.raises(NotFoundError, match="no weights in w; give a run"):
        zoo.load("w")


@pytest.mark.parametrize("source", ["a\0b", "a/" + "b" * 5000, "\ud800/x"])
def test_what_no_file_system_takes(source: str) -> None:
    with pytest.raises(ZooError):
        zoo.load(source)
