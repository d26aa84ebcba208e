"""`zoo runs`: tables, JSON and a picture, from run folders that Run made."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

LIGHT = """
import sys
from zoo.cli import run
code = run(sys.argv[1:])
sys.exit(f"imported {heavy}" if (heavy := {"torch", "numpy"} & set(sys.modules)) else code)
"""


@pytest.fixture
def runs(make_run: Any, tmp_path: Path) -> Path:
    """Return a folder with a finished run and another that goes on, which differ in a setting."""
    make_run(tmp_path / "runs" / "one", finished=True)
    make_run(tmp_path / "runs" / "deeper" / "two", settings={"epochs": 9, "learning_rate": 0.001})
    return tmp_path / "runs"


@pytest.mark.parametrize("arguments", [("ls",), ("ls", "--json"), ("show", "one"), ("compare", "one", "deeper/two")])
def test_imports_no_torch(runs: Path, arguments: tuple[str, ...]) -> None:
    paths = [str(runs)] if arguments[0] == "ls" else []
    rest = [str(runs / name) if not name.startswith("-") else name for name in arguments[1:]]
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, "runs", arguments[0], *paths, *rest], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_ls(runs: Path, zoo_command: Any) -> None:
    head, *lines = zoo_command("runs", "ls", str(runs)).stdout.splitlines()
    assert head.split() == ["RUN", "STARTED", "STATE", "STEP", "MODEL", "RECIPE", "DATA", "SCORES"]
    assert [(line.split()[0], line.split()[3], line.split()[-1]) for line in lines] == [
        (str(runs / "one"), "finished", "0.125"),
        (str(runs / "deeper" / "two"), "unfinished", "0.25"),
    ]


def test_ls_goes_on_past_a_broken_run(runs: Path, zoo_command: Any) -> None:
    (runs / "one" / "run.json").write_text("{}")
    done = zoo_command("runs", "ls", str(runs), "--json")
    assert [run["folder"] for run in json.loads(done.stdout)] == [str(runs / "deeper" / "two")]
    assert (done.returncode, "warning: " in done.stderr, "one/run.json" in done.stderr) == (0, True, True)


def test_ls_of_nothing(tmp_path: Path, zoo_command: Any) -> None:
    assert "zoo pretrain" in zoo_command("runs", "ls", str(tmp_path)).stdout
    assert zoo_command("runs", "ls", str(tmp_path / "nowhere")).returncode == 3


def test_show(runs: Path, zoo_command: Any) -> None:
    shown = zoo_command("runs", "show", str(runs / "one")).stdout
    assert "finished at step 2" in shown and "test" in shown and "mse 0.125" in shown and "zoo push" in shown
    assert "--resume" in zoo_command("runs", "show", str(runs / "deeper" / "two")).stdout
    record = json.loads(zoo_command("runs", "show", str(runs / "one"), "--json").stdout)
    assert (record["state"], record["step"], record["scores"]) == ("finished", 2, {"mse": 0.125})


def test_a_strangers_run_does_nothing_to_a_terminal(make_run: Any, tmp_path: Path, zoo_command: Any) -> None:
    run = make_run(tmp_path / "run", model="\x1b]0;owned\x07", settings={"\x1b[2J": "\u202e"})
    run.log({"event": "test", "step": 3, "\x1b[31m": 1.0})
    for arguments in (("ls", str(tmp_path)), ("show", str(run.folder))):
        assert not set(zoo_command("runs", *arguments).stdout) & {"\x1b", "\x07", "\u202e"}


def test_compare(runs: Path, zoo_command: Any) -> None:
    pair = (str(runs / "one"), str(runs / "deeper" / "two"))
    lines = zoo_command("runs", "compare", *pair).stdout.splitlines()
    rows = [line.split() for line in lines]
    assert rows == [
        ["one", "deeper/two"],
        ["settings.epochs", "4", "9"],
        ["state", "finished", "unfinished"],
        ["step", "2", "2"],
        ["scores", "of", "test", "validation"],
        ["mse", "0.125", "0.25"],
    ]
    found = json.loads(zoo_command("runs", "compare", *pair, "--json").stdout)
    assert found == {"runs": list(pair), "differences": {"settings.epochs": [4, 9]}, "scores": {"mse": [0.125, 0.25]}}


def test_compare_draws_curves(runs: Path, make_run: Any, zoo_command: Any, tmp_path: Path) -> None:
    third = make_run(tmp_path / "runs" / "$x_{", model="other")
    out = tmp_path / "pictures" / "curves.png"
    names = (str(runs / "one"), str(runs / "deeper" / "two"), str(third.folder))
    done = zoo_command("runs", "compare", *names, "--out", str(out), "--json")
    assert (done.returncode, json.loads(done.stdout)["runs"]) == (0, list(names)), done.stderr
    with Image.open(out) as picture:
        assert picture.width > 1.8 * picture.height  # the loss, and mse beside it


def test_compare_takes_two_different_runs(runs: Path, zoo_command: Any) -> None:
    assert zoo_command("runs", "compare", str(runs / "one")).returncode == 2
    assert zoo_command("runs", "compare", str(runs / "one"), str(runs / "deeper" / ".." / "one")).returncode == 2


def test_compare_draws_png_alone(runs: Path, zoo_command: Any, tmp_path: Path) -> None:
    pair = (str(runs / "one"), str(runs / "deeper" / "two"))
    done = zoo_command("runs", "compare", *pair, "--out", str(tmp_path / "curves.jpg"))
    assert (done.returncode, "curves.png" in done.stderr, done.stdout) == (2, True, "")
