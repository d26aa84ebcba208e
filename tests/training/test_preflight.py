"""What would fail after the last step fails before the first."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.errors import PluginError, UsageError

CLASSES = (
    ('task="image-feature-extraction", score="mse")', 'task="image-classification", score="mse", labels=True)'),
    (
        'yield zoo.Loss("model", F.mse_loss(self.model.reconstruct(batch["images"]), batch["images"]))',
        'yield zoo.Loss("model", F.cross_entropy(self.model(batch["images"]), batch["labels"]))',
    ),
)
RETURNS = 'return {"mse": float(sum(errors) / len(errors))}'


def left_nothing() -> bool:
    return not Path("run").exists()


def test_a_recipe_that_never_returns_its_score(paint: Any) -> None:
    with pytest.raises(PluginError, match=r"'painting' of zoo-painter 1.0 gives no 'mse', but error; its evaluate"):
        paint((RETURNS, RETURNS.replace('"mse"', '"error"')))
    assert left_nothing()


def test_scores_that_are_no_floats(paint: Any) -> None:
    with pytest.raises(PluginError, match=r"must return floats by name"):
        paint((RETURNS, 'return {"mse": torch.zeros(())}'))


def test_a_head_that_the_recipe_does_not_resize(paint: Any) -> None:
    with pytest.raises(PluginError, match=r"head of 10 outputs on 2 classes; it must call model.reset_classifier"):
        paint(("num_classes: int = 0", "num_classes: int = 10"), *CLASSES)
    assert left_nothing()


def test_a_number_of_classes_that_is_typed(paint: Any) -> None:
    with pytest.raises(UsageError, match="num_classes=7, but photos has 2 classes, which the head gets; omit"):
        paint(*CLASSES, arguments={"num_classes": 7})


@pytest.mark.parametrize("name", ["loss", "rate", "step", "loss/model"])
def test_a_figure_with_the_name_of_the_loss(paint: Any, name: str) -> None:
    with pytest.raises(PluginError, match=rf"'painting' of zoo-painter 1.0 gives a figure the name '{name}'.*another"):
        paint(('batch["images"]))\n', f'batch["images"]), figures={{"{name}": torch.ones(())}})\n'))


def test_looking_ahead_leaves_no_trace(paint: Any) -> None:
    paint(
        ("self.reset_classifier(num_classes)\n", "self.reset_classifier(num_classes)\n"
         "        self.register_buffer('looks', torch.zeros(()))\n"),
        ("with zoo.evaluating(self.model):\n", "with zoo.evaluating(self.model):\n"
         "            self.model.looks += 1; torch.rand(3)\n"),
    )  # fmt: skip
    assert float(zoo.load("run").looks) == 1


@pytest.mark.parametrize("missing", ["matplotlib", "PIL"])
@pytest.mark.parametrize("rehearsed", [False, True])
def test_a_library_that_draws_is_missing(
    paint: Any, monkeypatch: pytest.MonkeyPatch, missing: str, rehearsed: bool
) -> None:
    if rehearsed:
        monkeypatch.setattr(zoo, "pretrain", lambda name, **asked: zoo.dry_run("pretrain", name, **asked))
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError, match=r"training needs the train extra: pip install 'zoo-hub\[train\]'"):
        paint()
    assert left_nothing()


class Tracker:
    """Fails where its class says, and counts how often it is closed."""

    fails = ""
    closed = 0

    def start(self, folder: Path, resolved: Mapping[str, Any], step: int) -> None:
        if "start" in self.fails:
            raise RuntimeError("no quota")

    def log(self, event: str, step: int, figures: Mapping[str, float]) -> None: ...

    def picture(self, path: Path, step: int) -> None: ...

    def close(self) -> None:
        type(self).closed += 1
        if "close" in self.fails:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("fails", "closed"), [("start", 0), ("close", 1)])
def test_a_tracker_that_fails_is_closed_once(
    paint: Any, monkeypatch: pytest.MonkeyPatch, fails: str, closed: int
) -> None:
    monkeypatch.setattr(Tracker, "fails", fails)
    monkeypatch.setattr(Tracker, "closed", 0)
    with pytest.raises(PluginError if fails == "start" else KeyboardInterrupt):
        paint(track=(f"{__name__}:Tracker",))
    assert Tracker.closed == closed
    assert left_nothing() == (fails == "start")


def test_a_tracker_that_is_missing_is_told_by_a_dry_run(paint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "pretrain", lambda name, **asked: zoo.dry_run("pretrain", name, **asked))
    with pytest.raises(UsageError, match="no tracker 'tensorbord'"):
        paint(track=("tensorbord",))


def test_the_record_says_how_many_steps_came_of_it(paint: Any) -> None:
    paint()
    assert json.loads(Path("run/run.json").read_text())["steps"] == 3
