"""Registries are written as strictly as they are read, and checked against the Hub."""

import json
from pathlib import Path
from typing import Any

import pytest

import zoo
from tests.tiny import install, make_weights
from zoo.errors import NotFoundError, UsageError
from zoo.hub.server.serving import ServedHub
from zoo.publishing.registry_file import add_weights, check_weights, remove_weights


@pytest.fixture
def pushed(site: Any, tmp_path: Path, served_hub: ServedHub) -> Any:
    install(site)
    make_weights(tmp_path / "weights")
    return zoo.push(tmp_path / "weights", "me/tiny", hub=served_hub.url, private=False)


def add(path: Path, hub: ServedHub, name: str = "tiny.demo", **options: Any) -> Any:
    return add_weights("me/tiny", name, revision=None, hub=hub.url, path=path, **options)


def test_added_weights_are_pinned_and_load_by_name(pushed: Any, served_hub: ServedHub, tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    add(path, served_hub, "tiny.z")
    entry = add(path, served_hub)
    assert (entry.revision, entry.license, entry.task, entry.parameters) == (
        pushed.commit, "mit", "image-classification", 50
    )  # fmt: skip
    assert entry.scores == {"accuracy": 87.5} and entry.data == "fashion_mnist"
    assert list(json.loads(path.read_text())["weights"]) == ["tiny.demo", "tiny.z"]
    assert zoo.load("tiny.demo", registry=path, hub=served_hub.url).num_classes == 2
    assert dict(check_weights(path, served_hub.url)) == {"tiny.demo": None, "tiny.z": None}


def test_duplicate_name_and_wrong_architecture(pushed: Any, served_hub: ServedHub, tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    add(path, served_hub)
    with pytest.raises(UsageError, match="already"):
        add(path, served_hub)
    add(path, served_hub, force=True)
    with pytest.raises(UsageError, match=r"name it tiny\.TAG"):
        add(path, served_hub, "huge.demo")


def test_removed_weights(pushed: Any, served_hub: ServedHub, tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    add(path, served_hub)
    remove_weights("tiny.demo", path)
    assert json.loads(path.read_text())["weights"] == {}
    with pytest.raises(NotFoundError, match="does not list"):
        remove_weights("tiny.demo", path)


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("license", "unknown", "has no licence"),
        ("revision", "main", "which can change"),
        ("revision", "0" * 40, "no revision"),
        ("repo", "me/elsewhere", "no repo me/elsewhere"),
        ("files", {"model.safetensors": {"sha256": "0" * 64, "size": 1}}, "not the sha256"),
    ],
)
def test_check_finds_what_is_wrong(
    pushed: Any, served_hub: ServedHub, tmp_path: Path, key: str, value: Any, fault: str
) -> None:
    path = tmp_path / "registry.json"
    add(path, served_hub)
    document = json.loads(path.read_text())
    document["weights"]["tiny.demo"][key] = value
    path.write_text(json.dumps(document))
    assert fault in str(dict(check_weights(path, served_hub.url))["tiny.demo"])
