"""Several processes learn what one does, whatever they do with the model between them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from normalised import trained
from players import made, run, weights
from safetensors.torch import load_file

from zoo.engine.checkpoint import newest_checkpoint, read_checkpoint
from zoo.engine.distribution import Distribution

PLAYERS = Path(__file__).with_name("players.py")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize(
    ("sharding", "settings"),
    [
        ("ddp", {"ema": 0.9, "clip": 1.0}),
        ("ddp", {"accumulate": 3, "precision": "bf16"}),
        ("fsdp", {"ema": 0.9, "clip": 1.0, "accumulate": 2}),
    ],
)
def test_two_processes_equal_one_with_the_same_batch(tmp_path: Path, sharding: str, settings: dict[str, Any]) -> None:
    out = tmp_path / "weights.safetensors"
    command = [*TORCHRUN, "2", str(PLAYERS), str(out), json.dumps(settings), sharding]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)
    assert done.returncode == 0, done.stderr
    with torch.random.fork_rng(devices=[]):
        alone = made(Distribution(torch.device("cpu")), **settings)
        run(alone)
    expected, found = weights(alone), load_file(out)
    assert set(found) == set(expected)
    furthest = max(float((found[name] - tensor).abs().max()) for name, tensor in expected.items())
    assert furthest < (1e-2 if "precision" in settings else 1e-5)
    figures = json.loads(done.stdout)
    assert figures["loss"] == pytest.approx(alone.metrics(50)["loss"], rel=0.05 if "precision" in settings else 1e-4)


@pytest.mark.parametrize(("sharding", "synchronised"), [("ddp", True), ("ddp", False), ("fsdp", True)])
def test_batch_norm_sees_all_processes_where_it_is_asked_to(tmp_path: Path, sharding: str, synchronised: bool) -> None:
    out, settings = tmp_path / "weights.safetensors", {"sync_batch_norm": synchronised}
    program = Path(__file__).with_name("normalised.py")
    command = [*TORCHRUN, "2", str(program), str(out), json.dumps(settings), sharding]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)
    assert done.returncode == 0, done.stderr
    with torch.random.fork_rng(devices=[]):
        alone = trained(Distribution(torch.device("cpu")), **settings)
    found = load_file(out)
    equal = {name: torch.allclose(found[name], tensor, atol=1e-5) for name, tensor in alone.items()}
    assert all(equal.values()) == synchronised, equal
    assert equal["0.weight"] == synchronised


def test_running_statistics_and_their_moving_average_are_those_of_all_processes(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [*TORCHRUN, "2", str(Path(__file__).with_name("shares.py")), str(run), "2"]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)
    assert done.returncode == 0, done.stderr
    live = average = 0.0
    for step in range(1, 6):
        live += 0.1 * (2.01 - live)  # the momentum of batch norm
        decay = min(0.5, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * live
        if step not in (2, 4, 5):
            continue
        snapshot = read_checkpoint(run / "checkpoints" / f"step-{step:08d}")
        for module, name, expected in (("network", "1", live), ("average", "network/1", average)):
            found = snapshot.tensors[module][f"{name}.running_mean"]
            assert torch.allclose(found, torch.full_like(found, expected), atol=1e-5), (step, module, found, expected)
    events = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    (scores,) = [event for event in events if event["event"] == "test"]
    assert scores["mean"] == pytest.approx(average, abs=1e-5)


def failing(folder: Path, *modes: str) -> "subprocess.CompletedProcess[str]":
    command = [*TORCHRUN, "2", str(Path(__file__).with_name("failing.py")), str(folder), *modes]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)


def test_sharded_processes_train_on_where_scoring_fails_and_agree_on_it(tmp_path: Path) -> None:
    """On all of them, inside of a forward that has put weights together, or on one after it."""
    modes = ("none", "all", "inside", "one after")
    done = failing(tmp_path, *modes)
    assert done.returncode == 0, done.stderr
    for mode in modes:
        lines = [json.loads(line) for line in (tmp_path / mode / "metrics.jsonl").read_text().splitlines()]
        first, second = [line for line in lines if line["event"] == "test"]
        assert ("mean" in first) == (mode == "none") and "mean" in second, mode
        learnt = [
            read_checkpoint(tmp_path / name / "checkpoints" / "step-00000010").tensors["network"]
            for name in (mode, "none")
        ]
        assert all(torch.equal(tensor, learnt[1][name]) for name, tensor in learnt[0].items()), mode
    said = [line for line in done.stderr.splitlines() if "scoring failed" in line]
    assert said == [
        "scoring failed: ValueError: no score; what was learnt is kept",
        "scoring failed: ValueError: no score; what was learnt is kept",
        "scoring failed on another process; what was learnt is kept",
    ]


def test_a_sharded_process_that_leaves_the_others_waiting_ends_the_run(tmp_path: Path) -> None:
    """They wait for its part of the weights; what was learnt is on disk."""
    done = failing(tmp_path, "one before")
    assert done.returncode != 0 and "ValueError: no score" in done.stderr
    assert newest_checkpoint(tmp_path / "one before" / "checkpoints") is not None
