"""Registries are written as strictly as they are read, and checked against the Hub."""

import json
import shutil
from datetime import date
from functools import partial
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


def test_scores_say_where_they_come_from(pushed: Any, served_hub: ServedHub, tmp_path: Path) -> None:
    entry = add(tmp_path / "registry.json", served_hub)
    assert entry.scored is not None
    assert (entry.scored.data, entry.scored.source, entry.scored.date) == (
        "fashion_mnist", f"hf://me/tiny@{pushed.commit}", None
    )  # fmt: skip


def test_scores_of_the_run_that_made_the_weights(pushed: Any, served_hub: ServedHub, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    record = {"kind": "finetune", "model": "tiny", "recipe": "r", "settings": {}, "data": {"name": "photos"}}
    (run / "run.json").write_text(json.dumps(record))
    (run / "metrics.jsonl").write_text('{"event": "validation", "step": 9, "accuracy": 50.0}\n')
    add_from = partial(add, tmp_path / "registry.json", served_hub, run=run)
    with pytest.raises(UsageError, match="did not make these weights"):
        add_from()
    shutil.copytree(tmp_path / "weights", run / "weights")
    with pytest.raises(UsageError, match="no scores on a test split"):
        add_from()
    assert not (tmp_path / "registry.json").exists()
    (run / "metrics.jsonl").write_text('{"event": "test", "step": 9, "accuracy": 75.0}\n')
    entry = add_from()
    assert entry.scores == {"accuracy": 75.0} and entry.scored is not None
    assert (entry.scored.data, entry.scored.date) == ("photos", date.today().isoformat())


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
