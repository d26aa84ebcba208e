"""`--processes`: a process that dies is named, and the run goes on with another number of them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from zoo.engine.distribution import Distribution
from zoo.engine.watchdog import Watchdog
from zoo.registry.registry import default_registry

needs_models = pytest.mark.skipif(
    "dense_autoencoder" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs models: pip install -e plugins/autoencoder",
)
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(out: Path, *more: str) -> list[str]:
    data = ["--data", "fashion_mnist_sample", "--set", "save_steps=20", "--set", "steps=400"]
    return [sys.executable, "-m", "zoo", "pretrain", "dense_autoencoder", *data, "--out", str(out), *more]


def saved_step(run: Path) -> int:
    path = run / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    return max((json.loads(line)["step"] for line in lines if line.startswith('{"event": "checkpoint"')), default=0)


def wait_for_a_checkpoint(run: Path, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 90
    while saved_step(run) == 0:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)


def ranks(launcher: int) -> list[int]:
    """Return the processes that a launcher has started, first rank first."""
    children = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(launcher)], capture_output=True, text=True
    ).stdout
    return [int(line.split()[0]) for line in children.splitlines() if "-m zoo" in line]


@needs_models
def test_a_killed_process_is_named_and_the_run_goes_on_with_one(tmp_path: Path) -> None:
    arguments = command(tmp_path / "run", "--processes", "2")
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    wait_for_a_checkpoint(tmp_path / "run", process)
    os.kill(ranks(process.pid)[1], signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 9
    (line,) = [line for line in errors.splitlines() if line.startswith("zoo: ")]
    assert "rank 1" in line and "SIGKILL" in line and "--resume" in line
    again = subprocess.run(
        command(tmp_path / "run", "--resume"), capture_output=True, text=True, env=ENVIRONMENT, timeout=120
    )
    assert again.returncode == 0, again.stderr
    assert "with 1 processes instead of 2" in again.stderr
    whole = subprocess.run(command(tmp_path / "whole"), capture_output=True, text=True, env=ENVIRONMENT, timeout=120)
    assert whole.returncode == 0, whole.stderr
    one, other = (load_file(tmp_path / name / "weights" / "model.safetensors") for name in ("run", "whole"))
    assert max(float((one[name] - other[name]).abs().max()) for name in one) < 1e-2


@needs_models
@pytest.mark.parametrize("processes", [1, 2])
def test_057_sigterm_saves_and_leaves_with_143(tmp_path: Path, processes: int) -> None:
    more = ["--processes", "2"] if processes == 2 else []
    process = subprocess.Popen(command(tmp_path / "run", *more), stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    wait_for_a_checkpoint(tmp_path / "run", process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert "zoo: interrupted; go on with the same command and --resume" in errors


class Store(dict[str, str]):
    """What the processes tell each other; rank 2 goes on telling while it is asked."""

    def check(self, names: list[str]) -> bool:
        return all(name in self for name in names)

    def set(self, name: str, value: str) -> None:
        self[name] = value
        told = json.loads(self["process/2"])
        self["process/2"] = json.dumps({**told, "count": told["count"] + 1})


def told(place: str, waiting: bool) -> str:
    return json.dumps({"step": 7, "place": place, "waiting": waiting, "count": 1})


def test_the_watchdog_names_who_hangs_and_who_does_not_answer() -> None:
    store = Store({"process/1": told("here", False), "process/2": told("data.py:7 read", False)})
    several = Distribution(None, rank=0, world_size=3, sharding="ddp", store=store)  # type: ignore[arg-type]
    message = str(Watchdog(several, 0.04).diagnosis())
    assert "rank 1 does not answer" in message
    assert "rank 2 hangs in data.py:7 read at step 7" in message


def test_one_process_speaks_for_all() -> None:
    store = Store({"process/0": told("here", True), "process/2": told("there", True)})
    last = Distribution(None, rank=2, world_size=3, sharding="ddp", store=store)  # type: ignore[arg-type]
    assert "rank 0 does not answer; rank 1 does not answer" in str(Watchdog(last, 0.04).diagnosis())
    middle = Distribution(None, rank=3, world_size=4, sharding="ddp", store=store)  # type: ignore[arg-type]
    assert Watchdog(middle, 0.04).diagnosis() is None


@needs_models
def test_a_process_that_stands_still_is_named(tmp_path: Path) -> None:
    arguments = command(tmp_path / "run", "--processes", "2", "--stall-seconds", "4", "--set", "steps=100000")
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    wait_for_a_checkpoint(tmp_path / "run", process)
    stopped = ranks(process.pid)[1]
    os.kill(stopped, signal.SIGSTOP)
    assert process.stderr is not None
    line = next(line for line in process.stderr if "no step for 4 s" in line)
    os.kill(stopped, signal.SIGCONT)
    process.communicate(timeout=60)
    assert "rank 1 does not answer" in line
    assert process.returncode == 9


HANG = """
import time, torch
from zoo.engine.distribution import Distribution
from zoo.engine.watchdog import Watchdog
with Watchdog(Distribution(torch.device("cpu")), 0.4).watching() as watchdog:
    with watchdog.paused():
        time.sleep(1.5)
    watchdog.step_started(7)
    time.sleep(600)
"""


def test_a_run_that_hangs_is_ended() -> None:
    done = subprocess.run([sys.executable, "-c", HANG], capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
    assert done.returncode == 9, "it ended of itself, or not at all"
    assert "no step for 0 s after step 7: it hangs in" in done.stderr
