"""Run folders as they are found: made by Run itself, cut off, broken, or written by a stranger."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from zoo.engine.history import differences, find_runs, read_metrics, read_run
from zoo.errors import IntegrityError, NotFoundError


def test_unfinished_run_has_its_last_scores(make_run: Any, tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    past = read_run(tmp_path / "run")
    assert (past.state, past.step, past.measured, past.scores) == ("unfinished", 2, "validation", {"mse": 0.25})
    assert (past.known.model, past.known.settings["epochs"]) == ("tiny", 4)


def test_finished_run_has_its_test_scores(make_run: Any, tmp_path: Path) -> None:
    make_run(tmp_path / "run", finished=True)
    past = read_run(tmp_path / "run")
    assert (past.state, past.step, past.measured, past.scores) == ("finished", 2, "test", {"mse": 0.125})


def test_run_that_logged_nothing_yet(make_run: Any, tmp_path: Path) -> None:
    make_run(tmp_path / "run").metrics.unlink()
    past = read_run(tmp_path / "run")
    assert (past.step, past.scores, past.measured, read_metrics(tmp_path / "run")) == (0, {}, None, [])


def test_line_that_a_kill_cut_off(make_run: Any, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    with open(run.metrics, "a") as file:
        file.write('{"event": "train", "step": 3, "lo')
    assert read_run(run.folder).step == 2
    assert [line["step"] for line in read_metrics(run.folder)] == [1, 2]


def test_unreadable_lines_are_counted_and_left_out(make_run: Any, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    deep = "[" * 10_000
    with open(run.metrics, "a") as file:
        file.write(f'{deep}\n[]\n{{"event": "test", "mse": NaN}}\nnone\n{{"step": 3}}\n')
        file.write(f'{{"event": "test", "step": 1{"0" * 400}}}\n')
    run.log({"event": "test", "step": 9, "mse": 1.0, "huge": 10**400})
    past = read_run(run.folder)
    assert (past.unreadable, past.step, past.scores) == (6, 9, {"mse": 1.0})


def test_only_the_end_of_long_metrics_is_read(make_run: Any, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    lines = (json.dumps({"event": "train", "step": step, "loss": 1.0}) for step in range(3, 20_000))
    with open(run.metrics, "a") as file:
        file.write("\n".join(lines) + "\n")
    past = read_run(run.folder)
    assert (past.step, past.unreadable) == (19_999, 0)
    assert len(read_metrics(run.folder)) == 19_999


@pytest.mark.parametrize(
    "text", ['{"kind": "pretrain"}', "[]", "{", '{"model": 1, "kind": "", "recipe": "", "settings": {}}', "{" * 99]
)
def test_run_json_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(IntegrityError, match="run.json"):
        read_run(tmp_path)


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="zoo runs ls"):
        read_run(tmp_path)
    with pytest.raises(NotFoundError, match="zoo runs ls"):
        find_runs(tmp_path / "nowhere")


def test_find_runs_by_when_they_started(make_run: Any, tmp_path: Path) -> None:
    for name, started in (("z/first", 1_000), ("second", 2_000), ("a/b/third", 3_000)):
        os.utime(make_run(tmp_path / name).folder / "run.json", (started, started))
    make_run(tmp_path / "second" / "weights" / "inside")
    make_run(tmp_path / ".hidden")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert find_runs(tmp_path) == [tmp_path / "z/first", tmp_path / "second", tmp_path / "a/b/third"]
    assert find_runs(tmp_path / "second") == [tmp_path / "second"]


def test_differences(make_run: Any, tmp_path: Path) -> None:
    other = {"epochs": 4, "learning_rate": 0.01, "noise": 0.3}
    runs = [
        read_run(make_run(tmp_path / "a").folder),
        read_run(make_run(tmp_path / "b", settings=other, command="zoo pretrain b").folder),
    ]
    assert differences(runs) == {"settings.learning_rate": [0.001, 0.01], "settings.noise": [None, 0.3]}
