"""A run that is killed goes on as if nothing had been. ZOO_KILLS says how often; `make test-kill` says 200."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("kills.py")
KILLS = os.environ.get("ZOO_KILLS", "12")


def kill(folder: Path, recipe: str, seed: int, settings: dict[str, Any], *more: str) -> dict[str, Any]:
    command = [sys.executable, str(PROGRAM), str(folder), recipe, KILLS, str(seed), json.dumps(settings), *more]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=1200)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        ("classifier", {"ema": 0.9, "accumulate": 2, "clip": 1.0}),
        ("adversaries", {"ema": 0.9, "accumulate": 4}),
        ("adversaries", {"precision": "fp16", "validation": 0.0}),
    ],
)
def test_100_killed_at_any_moment_it_goes_on_to_the_same_bytes(
    tmp_path: Path, recipe: str, settings: dict[str, Any]
) -> None:
    found = kill(tmp_path, recipe, 0, settings)
    assert found["kills"] == int(KILLS)
    assert found["lost"] == 0
    assert found["equal"] == found["runs"]
    assert len(found["moments"]) == 6


def test_a_random_state_left_out_is_noticed(tmp_path: Path) -> None:
    found = kill(tmp_path, "classifier", 0, {}, "forget")
    assert found["equal"] < found["runs"]
