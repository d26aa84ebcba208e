"""config.json is data from a stranger: what is wrong with it ends in one IntegrityError, before a build."""

import json
from pathlib import Path
from typing import Any

import pytest

from zoo.errors import IntegrityError, NotFoundError
from zoo.weights.config import read_config

BLOCK: dict[str, Any] = {
    "format_version": 1,
    "plugin": "zoo-stranger",
    "plugin_version": "1.0",
    "architecture": "tiny",
    "arguments": {"width": 4, "num_classes": 2},
    "task": "image-classification",
    "labels": ["cat", "dog"],
}


def write(folder: Path, root: Any) -> Path:
    text = root if isinstance(root, str) else json.dumps(root)
    (folder / "config.json").write_text(text, encoding="utf-8")
    return folder


def test_reads_what_it_should(tmp_path: Path) -> None:
    block = read_config(write(tmp_path, {"zoo": BLOCK}))
    assert block.architecture == "tiny"
    assert block.labels == ("cat", "dog")


def test_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no config\.json"):
        read_config(tmp_path)


@pytest.mark.parametrize("root", ["[]", "1", '"text"', "null"])
def test_011_not_an_object(tmp_path: Path, root: str) -> None:
    with pytest.raises(IntegrityError, match="not an object"):
        read_config(write(tmp_path, root))


@pytest.mark.parametrize("place", ["root", "block"])
def test_012_unknown_key_lists_allowed(tmp_path: Path, place: str) -> None:
    root = {"zoo": BLOCK, "surprise": 1} if place == "root" else {"zoo": {**BLOCK, "surprise": 1}}
    with pytest.raises(
        IntegrityError, match="surprise.*allowed are .*" + ("zoo" if place == "root" else "architecture")
    ):
        read_config(write(tmp_path, root))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_015_numbers_that_are_none(tmp_path: Path, number: str) -> None:
    text = json.dumps({"zoo": BLOCK}).replace('"width": 4', f'"width": {number}')
    with pytest.raises(IntegrityError, match="finite number"):
        read_config(write(tmp_path, text))


@pytest.mark.parametrize("key", ["auto_map", "trust_remote_code", "model_file", "plugins"])
def test_017_code_is_never_followed(tmp_path: Path, key: str) -> None:
    with pytest.raises(IntegrityError, match=f"run its own code.*{key}"):
        read_config(write(tmp_path, {"zoo": BLOCK, key: {"AutoModel": "evil.py"}}))


def test_019_class_count_and_labels_disagree(tmp_path: Path) -> None:
    block = {**BLOCK, "labels": ["cat", "dog", "cow"]}
    with pytest.raises(IntegrityError, match="3 labels but asks for a head of 2"):
        read_config(write(tmp_path, {"zoo": block}))


def test_020_nested_ten_thousand_deep(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="nested 10001 deep"):
        read_config(write(tmp_path, '{"zoo":' + "[" * 10_000 + "]" * 10_000 + "}"))


def test_newer_format_asks_for_an_upgrade(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="upgrade zoo"):
        read_config(write(tmp_path, {"zoo": {**BLOCK, "format_version": 3}}))


def test_a_long_string_is_read(tmp_path: Path) -> None:
    labels = ["\\" * 500_000, '"' * 500_000]  # a pattern that goes back for each character would not come to an end
    assert read_config(write(tmp_path, {"zoo": {**BLOCK, "labels": labels}})).labels == tuple(labels)


def test_all_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps({"zoo": {"architecture": "tiny", "task": "image-classification", "data": {"name": "pets"}}})
    )
    missing = "format_version, plugin, plugin_version, arguments, data.fingerprint"
    with pytest.raises(IntegrityError, match=f"lacks {missing} in its block `zoo`; .*zoo.save"):
        read_config(tmp_path)
