"""A run is trained by one process: the second is told who holds it, and what a dead one left is taken over."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from zoo.engine.run import Run
from zoo.errors import NotFoundError, TrainingError, UsageError
from zoo.hub.lease import Lease
from zoo.registry.registry import default_registry

needs_models = pytest.mark.skipif(
    "dense_autoencoder" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs models: pip install -e plugins/autoencoder",
)
HOLD = """
import sys, time
from pathlib import Path
from zoo.engine.run import Run
from zoo.errors import TrainingError
try:
    with Run.held(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
except TrainingError as error:
    print(error, flush=True)
"""
LEAVE_A_CHILD = """
import os, sys, time
from pathlib import Path
from zoo.engine.run import Run
with Run.held(Path(sys.argv[1])):
    if child := os.fork():
        print(child, flush=True)
        os._exit(0)
    time.sleep(60)
"""
ELSEWHERE = "0123456789ab-7-7-00000000 other-machine\n"


def pretrain(out: Path, *more: str) -> list[str]:
    data = ["--data", "fashion_mnist_sample", "--set", "save_steps=20", "--set", "steps=1000000"]
    return [sys.executable, "-m", "zoo", "pretrain", "dense_autoencoder", *data, "--out", str(out), *more]


def start(code: str, folder: Path) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-c", code, str(folder)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def killed_holder(folder: Path) -> Iterator[None]:
    """Leave a folder as a process leaves it that was killed while it held it."""
    process = start(HOLD, folder)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    process.kill()
    process.communicate()
    yield


@contextmanager
def touched(path: Path) -> Iterator[None]:
    """Touch a lease as a process on another machine does."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.05):
            os.utime(path)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@needs_models
def test_144_of_two_that_resume_at_once_one_trains(tmp_path: Path) -> None:
    run, environment = tmp_path / "run", {**os.environ, "OMP_NUM_THREADS": "1"}
    first = subprocess.Popen(pretrain(run), stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 90
    while not (run / "metrics.jsonl").is_file() or '"checkpoint"' not in (run / "metrics.jsonl").read_text():
        assert first.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    first.send_signal(signal.SIGSTOP)  # it stands still, and holds the run all the same
    forced = subprocess.run(pretrain(run, "--force"), capture_output=True, text=True, env=environment)
    assert forced.returncode == 9 and f"process {first.pid} " in forced.stderr, forced.stderr
    first.kill()
    first.communicate()
    before = (run / "metrics.jsonl").stat().st_size
    both = [
        subprocess.Popen(pretrain(run, "--resume"), stderr=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    while all(process.poll() is None for process in both):
        time.sleep(0.05)
    while (run / "metrics.jsonl").stat().st_size <= before and any(process.poll() is None for process in both):
        time.sleep(0.05)  # until it is training, which is what SIGTERM lets it save
    for process in both:
        process.terminate()
    ended = {process.pid: (process.communicate(timeout=120)[1], process.returncode) for process in both}
    assert sorted(code for _, code in ended.values()) == [9, 143], ended
    (winner,) = [pid for pid, (_, code) in ended.items() if code == 143]
    (told,) = [text for text, code in ended.values() if code == 9]
    assert f"is being trained by process {winner} on " in told
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [line["step"] for line in lines if line["event"] == "train"]
    assert steps == sorted(set(steps))
    assert not (run / ".lease").exists()


def test_144_a_holder_on_this_machine_is_named_at_once(tmp_path: Path) -> None:
    with Run.held(tmp_path), pytest.raises(TrainingError, match=f"process {os.getpid()} on "), Run.held(tmp_path):
        pass


def test_of_many_that_find_a_dead_holder_one_takes_over(tmp_path: Path) -> None:
    with killed_holder(tmp_path):
        processes = [start(HOLD, tmp_path) for _ in range(6)]
        said = [process.stdout.readline() for process in processes if process.stdout]
        for process in processes:
            process.communicate()
    assert said.count("held\n") == 1
    assert sum("is being trained by process" in line for line in said) == 5


def test_144_a_holder_on_another_machine_that_works_is_named(tmp_path: Path) -> None:
    (tmp_path / ".lease").write_text(ELSEWHERE)
    with touched(tmp_path / ".lease"), pytest.raises(TrainingError, match="process 7 on other-machine"):
        with Run.held(tmp_path):
            pass


def test_a_holder_on_another_machine_that_is_silent_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.hub.lease.STALE_SECONDS", 0.3)
    (tmp_path / ".lease").write_text(ELSEWHERE)
    with Run.held(tmp_path) as lease:
        assert lease.held()


def test_who_is_silent_and_keeps_the_lock_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.hub.lease.STALE_SECONDS", 0.3)
    (tmp_path / ".lease").write_text(ELSEWHERE)
    with open(tmp_path / ".lease") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        with pytest.raises(TrainingError, match="other-machine"), Run.held(tmp_path):
            pass


def test_where_a_file_system_has_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with killed_holder(tmp_path), Run.held(tmp_path):
        with pytest.raises(TrainingError, match="is being trained"), Run.held(tmp_path):
            pass


def test_a_forked_child_does_not_keep_what_its_parent_held(tmp_path: Path) -> None:
    with start(LEAVE_A_CHILD, tmp_path) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
    try:
        with Run.held(tmp_path) as lease:
            assert lease.held()
    finally:
        os.kill(child, signal.SIGKILL)


def test_who_has_lost_the_run_writes_nothing_more(tmp_path: Path) -> None:
    with ExitStack() as stack:
        run = Run.create(tmp_path / "run", resolved={})
        run.lease = stack.enter_context(Run.held(run.folder))
        run.log({"event": "train", "step": 1})
        (run.folder / ".lease").write_text(ELSEWHERE)  # taken over while this process stood still
        with pytest.raises(TrainingError, match="another process took over"):
            run.log({"event": "train", "step": 2})
    assert len((run.folder / "metrics.jsonl").read_text().splitlines()) == 1
    assert (run.folder / ".lease").read_text() == ELSEWHERE


def test_121_a_lease_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "lease").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError), Lease(tmp_path / "lease"):
        pass
    assert (tmp_path / "precious").read_text() == "mine"


def test_what_a_crash_at_the_start_left_is_replaced(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for part in ("checkpoints", "pictures"):
        (run / part).mkdir(parents=True)
    (run / ".run.json.abc.tmp").write_text("{")
    with killed_holder(run):
        assert (run / ".lease").exists()
        Run.create(run, resolved={"kind": "pretrain"})
    assert Run.recorded(run) == {"kind": "pretrain"}
    assert not (run / ".run.json.abc.tmp").exists()


@pytest.mark.parametrize("name", ["notes.txt", "checkpoints/step-00000001/state.json", "pictures/cat.png"])
def test_a_folder_with_anything_else_is_kept(tmp_path: Path, name: str) -> None:
    path = tmp_path / "run" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    for force in (False, True):
        with pytest.raises(UsageError, match="choose another --out"):
            Run.create(tmp_path / "run", resolved={}, force=force)
    assert path.read_text() == "mine"


def test_resuming_what_is_not_there_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no run in"):
        Run.recorded(tmp_path / "run")
    assert not (tmp_path / "run").exists()
