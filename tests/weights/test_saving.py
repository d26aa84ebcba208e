"""Save a model from a loop of one's own."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from tests.tiny import install, make_weights
from zoo.errors import UsageError

PICTURES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def tiny(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_tiny")
    install(site)


def same(one: Any, other: Any) -> bool:
    return torch.equal(one.eval()(PICTURES), other.eval()(PICTURES))


def test_what_create_made(tmp_path: Path) -> None:
    model = zoo.create("tiny", width=3, num_classes=5)
    assert zoo.save(model, tmp_path / "w", labels=list("abcde")) == tmp_path / "w"
    again = zoo.load(tmp_path / "w")
    assert same(model, again)
    described = zoo.describe(tmp_path / "w")
    assert described.arguments == {"width": 3, "num_classes": 5} and described.labels == tuple("abcde")


def test_a_copy_such_as_a_moving_average(tmp_path: Path) -> None:
    model = copy.deepcopy(zoo.create("tiny"))
    zoo.save(model, tmp_path / "w")
    assert same(model, zoo.load(tmp_path / "w"))


def test_what_load_made_keeps_inputs_and_labels(tmp_path: Path) -> None:
    make_weights(tmp_path / "w")
    model = zoo.load(tmp_path / "w")
    with torch.no_grad():
        model.get_parameter("head.bias").add_(1)
    zoo.save(model, tmp_path / "again")
    one, other = zoo.describe(tmp_path / "w"), zoo.describe(tmp_path / "again")
    assert (other.inputs, other.labels, other.task) == (one.inputs, one.labels, one.task)
    assert other.data is None, "what else it was trained on nobody here knows"
    assert same(model, zoo.load(tmp_path / "again"))


def test_a_model_made_by_other_means(tmp_path: Path) -> None:
    from zoo_tiny import Tiny  # type: ignore[import-not-found]

    model = Tiny(width=2)
    with pytest.raises(UsageError, match="nobody knows how to build this Tiny again; give name="):
        zoo.save(model, tmp_path / "w")
    zoo.save(
        model,
        tmp_path / "w",
        name="tiny",
        arguments={"width": 2},
        inputs=zoo.Preprocessing(image_size=(8, 8), channels=1),
        labels=("cat", "dog"),
    )
    assert same(model, zoo.load(tmp_path / "w"))
    assert zoo.load(tmp_path / "w").predict is not None


def test_what_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    model = zoo.create("tiny")
    model.stem = torch.nn.Conv2d(1, 7, 3)
    with pytest.raises(UsageError, match="no 'tiny' with these arguments: 2 tensors differ"):
        zoo.save(model, tmp_path / "w")
    with pytest.raises(UsageError, match="3 labels are given for 2 classes"):
        zoo.save(zoo.create("tiny"), tmp_path / "w", labels=["a", "b", "c"])
    with pytest.raises(UsageError, match="no argument 'wdith'"):
        zoo.save(model, tmp_path / "w", name="tiny", arguments={"wdith": 2})
    assert not (tmp_path / "w").exists()


def test_a_folder_that_exists(tmp_path: Path) -> None:
    zoo.save(zoo.create("tiny"), tmp_path / "w")
    with pytest.raises(UsageError, match="exists; .* force=True"):
        zoo.save(zoo.create("tiny"), tmp_path / "w")
    zoo.save(zoo.create("tiny", width=9), tmp_path / "w", force=True)
    assert json.loads((tmp_path / "w" / "config.json").read_text())["zoo"]["arguments"]["width"] == 9


def test_what_is_no_weights_is_never_replaced(tmp_path: Path) -> None:
    from zoo.weights.replacing import check_out

    for name, inside in (("photos", "a.png"), ("run", "run.json")):
        (tmp_path / name).mkdir()
        (tmp_path / name / inside).write_text("kept")
        (tmp_path / "run" / "config.json").write_text("{}") if name == "run" else None
        with pytest.raises(zoo.UsageError, match="never replaced"):
            check_out(tmp_path / name, force=True)
    (tmp_path / "empty").mkdir()
    check_out(tmp_path / "empty", force=True)
    with pytest.raises(zoo.UsageError, match="or replace it with --force"):
        check_out(tmp_path / "empty", force=False)
