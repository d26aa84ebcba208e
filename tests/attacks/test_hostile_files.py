"""Files that are something else than their name says, or ask for time and memory without bound."""

import io
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.attacks.lying_hub import REPO, LyingHub, json_reply, listed, on
from tests.fuzz.readers import CONFIG
from zoo.errors import IntegrityError, StorageError
from zoo.hub.pull import pull_repo
from zoo.hub.retry_policy import RetryPolicy
from zoo.registry.recipe_settings import recipe_settings
from zoo.weights.config import read_config
from zoo.weights.lockfile import read_lock
from zoo.weights.stored import stored_tensors
from zoo.weights.tokenizer import read_tokenizer

WORDS = {
    "version": "1.0",
    "model": {"type": "WordLevel", "vocab": {"a": 0, "[UNK]": 1}, "unk_token": "[UNK]"},
    "pre_tokenizer": {"type": "Split", "pattern": {"Regex": ""}, "behavior": "Isolated", "invert": False},
}


def zipped() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("archive/data.pkl", "x")
    return written.getvalue()


OTHERS = {
    "a Git-LFS pointer": f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12\n".encode(),
    "a web page": b"<!DOCTYPE html>\n<html><body>Sign in</body></html>",
    "a zip file": zipped(),
    "a pickle": pickle.dumps({"weight": [1.0]}),
    "a GGUF file": b"GGUF\x03\0\0\0" + bytes(40),
    "an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(40),
}


@pytest.mark.parametrize("what", OTHERS)
def test_124_weights_that_are_something_else(what: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(OTHERS[what])
    with pytest.raises(IntegrityError, match=f"is {what}.*; (get|fetch|download|convert)"):
        stored_tensors(tmp_path)


TOML = {
    "deep": "x = " + "[" * 100_000,
    "dots in a key": "a." * 50_000 + "b = 1",
    "dots in a table": "[" + "a." * 50_000 + "b]",
    "a number of 5,000 digits": f"version = {'9' * 5000}",
    "no text": "\x00",
}


@pytest.mark.parametrize("case", TOML)
def test_123_toml_without_bounds(case: str, tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text(TOML[case])
    with pytest.raises(IntegrityError, match="file.toml"):
        recipe_settings(str(path), None, {})
    with pytest.raises(IntegrityError, match="file.toml"):
        read_lock(path)


@pytest.mark.parametrize("regex", ["(a+)+$", "(a|aa)+$"])
def test_123_a_tokenizer_whose_regex_explodes(regex: str, tmp_path: Path) -> None:
    WORDS["pre_tokenizer"]["pattern"]["Regex"] = regex  # type: ignore[index]
    (tmp_path / "tokenizer.json").write_text(json.dumps(WORDS))
    tokenizer = read_tokenizer(tmp_path)
    with pytest.raises(IntegrityError, match="cannot be used"):
        tokenizer.encode(["a" * 60 + "b"])


@pytest.mark.parametrize(
    "change", [{"image_size": [65_536, 65_536]}, {"crop": 1e-300}, {"image_size": [8192, 8192], "crop": 0.5}]
)
def test_123_pictures_larger_than_memory(change: dict[str, object], tmp_path: Path) -> None:
    block = {**CONFIG, "preprocessing": {**CONFIG["preprocessing"], **change}}
    (tmp_path / "config.json").write_text(json.dumps({"zoo": block}))
    with pytest.raises(IntegrityError, match="more than can be held"):
        read_config(tmp_path)


def test_118_a_lone_surrogate_in_a_label(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"zoo": {**CONFIG, "labels": ["\ud800"]}}))
    with pytest.raises(IntegrityError, match="lone surrogate"):
        read_config(tmp_path)


def test_126_less_space_than_what_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    usage = shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    line = listed("model.safetensors", b"", lfs={"oid": "a" * 64, "size": 2_000_000})
    with LyingHub(on("/tree/", json_reply([line]))).running() as hub:
        with pytest.raises(StorageError, match="2.0 MB"):
            pull_repo(REPO, hub=hub.url, policy=RetryPolicy(attempts=1))
        assert not [asked for asked in hub.asked if "/resolve/" in asked.path], "before the first byte"
