"""What is scored and drawn at the end costs no training."""

import json
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.engine.checkpoint import saved, verify
from zoo.errors import TrainingError

DRAWING = "def pictures(self, batches, folder):\n        "
SCORING = "def evaluate(self, batches):\n        "
LATER = "self.count = getattr(self, 'count', 0) + 1\n        "
"""What fails from the second call on: the first one is that before training."""


def test_145_a_failure_in_drawing_is_a_warning(paint: Any, caplog: pytest.LogCaptureFixture) -> None:
    result = paint((DRAWING, DRAWING + "raise IndexError('no picture')\n        "))
    assert [path.name for path in result.pictures] == ["curves.png"]
    assert "drawing pictures failed" in caplog.text
    assert "recipe 'painting' of zoo-painter 1.0" in caplog.text and "no picture" in caplog.text
    assert zoo.verify(str(result.weights)).selftest
    assert list(result.scores) == ["mse"]


def test_145_a_failure_in_scoring_is_a_warning(paint: Any, caplog: pytest.LogCaptureFixture) -> None:
    fails = LATER + "if self.count > 1: raise ValueError('no score')\n        "
    result = paint((SCORING, SCORING + fails))
    assert result.scores == {}
    assert "scoring failed" in caplog.text and "no score" in caplog.text
    assert (result.weights / "model.safetensors").is_file()
    assert (result.weights / "README.md").is_file()


def test_145_where_no_score_chooses_the_last_weights_are_kept(paint: Any) -> None:
    fails = LATER + "if self.count > 1: raise ValueError('no score')\n        "
    result = paint((SCORING, SCORING + fails), settings={"validation": 0.25})
    assert (result.weights / "model.safetensors").is_file()


def test_145_curves_that_cannot_be_drawn(paint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("no display")

    monkeypatch.setattr("zoo.training.run.loss_curve", fails)
    assert paint().pictures == ()


def test_the_last_checkpoint_is_on_disk_before_the_last_scores(paint: Any) -> None:
    seen = "import pathlib; self.seen = [p.name for p in pathlib.Path('run/checkpoints').glob('step-*')] if True else 0"
    noted = f"{seen}\n        pathlib.Path('seen').write_text(' '.join(self.seen))\n        "
    paint((SCORING, SCORING + noted))
    assert Path("seen").read_text() == "step-00000003"


def test_a_run_that_died_while_it_scored_goes_on_to_its_weights(paint: Any) -> None:
    dies = LATER + "if self.count > 1: raise KeyboardInterrupt\n        "
    with pytest.raises(KeyboardInterrupt):
        paint((SCORING, SCORING + dies))
    (checkpoint,) = saved(Path("run/checkpoints"))
    assert verify(checkpoint) is None
    code = Path("site/zoo_painter.py")
    code.write_text(code.read_text().replace("raise KeyboardInterrupt", "pass"))
    import importlib
    import sys

    importlib.reload(sys.modules["zoo_painter"])
    result = paint(resume=True)
    assert list(result.scores) == ["mse"]
    events = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().split("\n") if line]
    assert [line["step"] for line in events if line["event"] == "test" and "step" in line] == [3]


def test_weights_are_exported_once(paint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import zoo.training.run as module

    exported = []
    inner = module.export_run
    monkeypatch.setattr(module, "export_run", lambda *args, **named: (exported.append(1), inner(*args, **named)))
    paint()
    assert exported == [1]


def test_what_a_recipe_raises_in_a_step_names_it(paint: Any) -> None:
    step = "def step(self, batch, draws):\n        "
    with pytest.raises(zoo.ZooError, match=r"recipe 'painting' of zoo-painter 1.0 failed: KeyError: 'lost'"):
        paint((step, step + "raise KeyError('lost')\n        "))


def test_errors_of_ours_pass_as_they_are(paint: Any) -> None:
    step = "def step(self, batch, draws):\n        "
    with pytest.raises(TrainingError, match=r"\Aenough\Z"):
        paint((step, step + "from zoo.errors import TrainingError; raise TrainingError('enough')\n        "))
