"""Runs are read back by the libraries that they were written with, and hold no token."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from zoo_trackers.remembering import flat, known_run, remember_run

import zoo

SECRET = "0123456789abcdef0123456789abcdef01234567"
needs_mlflow = pytest.mark.skipif(find_spec("mlflow") is None, reason="needs MLflow: pip install mlflow-skinny")
needs_wandb = pytest.mark.skipif(find_spec("wandb") is None, reason="needs Weights & Biases: pip install wandb")
# in a process of its own: both libraries start threads and services, and warn of their own affairs
RUN = """
import sys
from pathlib import Path
from PIL import Image
from zoo.engine.tracking import make_trackers

name, folder = sys.argv[1], Path(sys.argv[2])
resolved = {"model": "tiny", "settings": {"epochs": 4, "rates": {"head": 0.5}}, "arguments": {}, "data": None}
Image.new("RGB", (6, 4), "red").save(folder / "curves.png")
(tracker,) = make_trackers([name])
tracker.start(folder, resolved, 0)
tracker.log("train", 1, {"loss": 0.5, "rate": 1.0})
tracker.log("train", 2, {"loss": 0.25, "rate": 1.0})
tracker.close()
(tracker,) = make_trackers([name])
tracker.start(folder, resolved, 1)
tracker.log("train", 2, {"loss": 0.125, "rate": 1.0})
tracker.log("test", 2, {"mse": 0.0625})
tracker.picture(folder / "curves.png", 2)
tracker.close()
"""


def tracked(name: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    folder.mkdir()
    return subprocess.run(
        [sys.executable, "-c", RUN, name, str(folder)],
        capture_output=True,
        text=True,
        cwd=folder.parent,
        env={**os.environ, "HF_TOKEN": f"hf_{SECRET}", **variables},
    )


def written_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


@needs_mlflow
def test_mlflow_has_the_figures_the_settings_and_the_picture_of_one_run(tmp_path: Path) -> None:
    store, run = tmp_path / "store", tmp_path / "run"
    done = tracked(
        "mlflow",
        run,
        MLFLOW_TRACKING_URI=store.as_uri(),
        MLFLOW_ALLOW_FILE_STORE="true",
        MLFLOW_TRACKING_TOKEN=SECRET,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (metrics,) = store.glob("*/*/metrics")
    assert metrics.parent.name == (run / "mlflow.run").read_text().strip()
    figures = {path.relative_to(metrics).as_posix(): path.read_text() for path in metrics.rglob("*") if path.is_file()}
    assert [tuple(line.split()[1:3]) for line in figures["train/loss"].strip().split("\n")] == [
        ("0.5", "1"),
        ("0.25", "2"),
        ("0.125", "2"),
    ]
    assert figures["test/mse"].split()[1] == "0.0625"
    parameters = {path.name: path.read_text() for path in (metrics.parent / "params").iterdir()}
    assert parameters == {"model": "tiny", "settings.epochs": "4", "settings.rates.head": "0.5"}
    artifacts = metrics.parent / "artifacts"
    assert (artifacts / "pictures" / "2" / "curves.png").read_bytes() == (run / "curves.png").read_bytes()
    assert '"epochs": 4' in (artifacts / "run.json").read_text()
    assert "status: 3" in (metrics.parent / "meta.yaml").read_text()  # finished
    assert SECRET.encode() not in written_below(tmp_path) and SECRET not in done.stdout + done.stderr


@needs_wandb
def test_wandb_has_the_figures_of_one_run_offline_and_says_nothing(tmp_path: Path) -> None:
    run, home = tmp_path / "run", tmp_path / "home"
    places = {f"WANDB_{name}_DIR": str(home / name) for name in ("CACHE", "CONFIG", "DATA")}
    done = tracked("wandb", run, WANDB_MODE="offline", WANDB_API_KEY=SECRET, WANDB_ERROR_REPORTING="false", **places)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == ""
    name = (run / "wandb.run").read_text().strip()
    parts = sorted((run / "wandb").glob(f"offline-run-*-{name}"))
    assert len(parts) == 2
    begun, resumed = ((part / f"run-{name}.wandb").read_bytes() for part in parts)
    assert b"train/loss" in begun and b"0.25" in begun and b"test/mse" not in begun
    assert b"0.125" in resumed and b"test/mse" in resumed and b"0.0625" in resumed
    assert list(run.rglob("media/images/curves*.png"))
    written = written_below(tmp_path)
    assert SECRET.encode() not in written and SECRET not in done.stderr
    assert str(Path(__file__).parents[3]).encode() not in written  # neither code nor where it lies


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_without_the_library_it_says_what_to_install(name: str, monkeypatch: Any) -> None:
    from zoo.engine.tracking import make_trackers

    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(zoo.UsageError, match=rf"pip install 'zoo-trackers\[{name}\]'"):
        make_trackers([name])


def test_a_token_of_theirs_is_taken_out_of_what_is_printed(monkeypatch: Any, capsys: Any) -> None:
    from zoo.commands.output import print_line
    from zoo.engine.tracking import make_trackers

    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(zoo.UsageError):
        make_trackers(["wandb"])
    print_line(f"refused: {SECRET}")
    assert SECRET not in capsys.readouterr().out


def test_a_run_goes_on_only_where_it_is_resumed_and_its_name_is_one(tmp_path: Path) -> None:
    assert known_run(tmp_path, "mlflow", 5) is None
    remember_run(tmp_path, "mlflow", "abc-1")
    assert (known_run(tmp_path, "mlflow", 5), known_run(tmp_path, "mlflow", 0)) == ("abc-1", None)
    (tmp_path / "mlflow.run").write_text("../elsewhere\n")
    assert known_run(tmp_path, "mlflow", 5) is None


def test_settings_are_flat_with_dots() -> None:
    assert flat({"a": {"b": 1, "c": {}}, "d": [1]}) == {"a.b": 1, "d": [1]}
