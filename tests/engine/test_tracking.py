"""Trackers: TensorBoard's files read back by TensorBoard, a user's own, and those that fail."""

import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from zoo.engine.run import Run
from zoo.engine.tracking import make_trackers
from zoo.errors import PluginError, UsageError

RESOLVED = {"model": "tiny", "settings": {"epochs": 4}}
OWN = """
from zoo import errors
calls = []

class Own:
    def start(self, folder, resolved, step): calls.append(("start", folder, resolved["model"], step))
    def log(self, event, step, figures): calls.append((event, step, figures))
    def picture(self, path, step): calls.append((path.name, step))
    def close(self): calls.append("close")

class Offline(Own):
    def log(self, event, step, figures): raise OSError("no route to host")

class Unstartable(Own):
    def start(self, folder, resolved, step): raise RuntimeError("no account")

class Half:
    def start(self): pass

def broken(): raise ValueError("no token")
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a user's module with trackers."""
    (tmp_path / "own_trackers.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_trackers", raising=False)
    import own_trackers

    return own_trackers


def events_of(folder: Path) -> Any:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(folder))
    events.Reload()
    return events


def test_tensorboard_reads_what_was_logged(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    picture = tmp_path / "curves.png"
    Image.new("RGB", (6, 4), "red").save(picture)
    (tracker,) = make_trackers(["tensorboard"])
    tracker.start(tmp_path, RESOLVED, 0)
    tracker.log("train", 1, {"loss": 0.5, "rate": 1.0})
    tracker.log("train", 2, {"loss": 0.25, "rate": 1.0})
    tracker.log("test", 2, {"mse": 0.125})
    tracker.picture(picture, 2)
    tracker.close()

    events = events_of(tmp_path / "tensorboard")
    assert [(event.step, event.value) for event in events.Scalars("loss/train")] == [(1, 0.5), (2, 0.25)]
    assert [(event.step, event.value) for event in events.Scalars("mse/test")] == [(2, 0.125)]
    (image,) = events.Images("curves")
    assert (image.step, image.width, image.height) == (2, 6, 4)
    (text,) = events.Tensors("run/text_summary")
    assert b'"epochs": 4' in text.tensor_proto.string_val[0]


def test_tensorboard_forgets_what_a_resumed_run_logs_again(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    for first, values in ((0, {1: 1.0, 2: 2.0, 3: 3.0}), (2, {3: 30.0, 4: 40.0})):
        (tracker,) = make_trackers(["tensorboard"])
        tracker.start(tmp_path, RESOLVED, first)
        for step, value in values.items():
            tracker.log("train", step, {"loss": value})
        tracker.close()
    found = [(event.step, event.value) for event in events_of(tmp_path / "tensorboard").Scalars("loss/train")]
    assert found == [(1, 1.0), (2, 2.0), (3, 30.0), (4, 40.0)]


def test_tensorboard_not_installed_names_the_pip_line() -> None:
    code = """
import sys
from collections.abc import Mapping
sys.modules["tensorboard"] = None
from zoo.engine.run import Run
from zoo.engine.tracking import make_trackers
make_trackers(["tensorboard"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "UsageError" in done.stderr and "pip install 'zoo-hub[tensorboard]'" in done.stderr


def test_own_tracker_gets_everything(own: Any, tmp_path: Path) -> None:
    (tracker,) = make_trackers(["own_trackers:Own", "own_trackers:Own"])
    tracker.start(tmp_path, RESOLVED, 7)
    tracker.log("train", 8, {"loss": 1.0})
    tracker.picture(tmp_path / "x.png", 8)
    tracker.close()
    tracker.close()
    assert own.calls == [("start", tmp_path, "tiny", 7), ("train", 8, {"loss": 1.0}), ("x.png", 8), "close"]


def test_tracker_that_fails_is_said_once_and_left_alone(
    own: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tracker,) = make_trackers(["own_trackers:Offline"])
    tracker.start(tmp_path, RESOLVED, 0)
    with caplog.at_level(logging.WARNING, "zoo"):
        for step in range(3):
            tracker.log("train", step, {})
        tracker.close()
    assert [record.getMessage() for record in caplog.records] == [
        "tracker 'own_trackers:Offline' failed: OSError: no route to host; the run continues without it"
    ]
    assert "close" not in own.calls


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("tensorbord", UsageError, "did you mean tensorboard"),
        ("nothing", UsageError, "there is tensorboard"),
        ("no_such_module:Tracker", PluginError, "No module named 'no_such_module'"),
        ("own_trackers:Nobody", PluginError, "Nobody"),
        ("own_trackers:broken", PluginError, "no token"),
        ("own_trackers:Half", PluginError, "without log, picture, close"),
    ],
)
def test_name_that_is_no_tracker(own: Any, name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make_trackers([name])


def test_tracker_that_does_not_start_stops_the_run(own: Any, tmp_path: Path) -> None:
    (tracker,) = make_trackers(["own_trackers:Unstartable"])
    with pytest.raises(PluginError, match="no account"):
        tracker.start(tmp_path, RESOLVED, 0)


def test_importing_it_imports_no_torch() -> None:
    code = "import sys, zoo.engine.tracking; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


class Noting:
    """A tracker that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def start(self, folder: Path, resolved: Mapping[str, Any], step: int) -> None:
        self.told.append(("start", step))

    def log(self, event: str, step: int, figures: Mapping[str, float]) -> None:
        self.told.append((event, step, sorted(figures)))

    def picture(self, path: Path, step: int) -> None:
        self.told.append(("picture", step))

    def close(self) -> None:
        self.told.append(("close",))


def test_trackers_hear_what_metrics_jsonl_gets_and_of_no_checkpoint(tmp_path: Path) -> None:
    run, tracker = Run(tmp_path, RESOLVED), Noting()
    run.trackers = [tracker]
    run.begin(3)
    run.log({"event": "train", "step": 4, "epoch": 0, "loss": 0.5})
    run.note_checkpoint(tmp_path / "step-4", 4)
    run.log({"event": "test", "mse": 0.25})
    run.end([tmp_path / "curves.png"])
    run.end()
    expected = [("start", 3), ("train", 4, ["loss"]), ("test", 4, ["mse"]), ("picture", 4), ("close",)]
    assert tracker.told == expected
