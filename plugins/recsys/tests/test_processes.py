"""Two processes learn what one does, and a run that was killed goes on as if nothing had been."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import zoo
from plugins.recsys.tests.small import write_table

CASES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "lightgcn": (["width=8"], {"steps": 6, "batch_size": 64}),
}


def command(model: str, table: Path, out: Path, *more: str, **settings: Any) -> list[str]:
    arguments, own = CASES[model]
    # no Adam, which makes whole steps of differences of 1e-8
    chosen = {**own, "optimizer": "sgd", "learning_rate": 0.01, "evaluations": 1, **settings}
    words = [word for name in arguments for word in ("--arg", name)]
    words += [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]
    return [sys.executable, "-m", "zoo", "pretrain", model, "--data", str(table), "--out", str(out), *words, *more]


def done(arguments: list[str], **environment: str) -> int:
    found = subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )
    assert found.returncode in (0, -signal.SIGKILL), found.stderr
    return found.returncode


@pytest.mark.parametrize("model", list(CASES))
def test_two_processes_train_as_one_does(tmp_path: Path, model: str) -> None:
    table = write_table(tmp_path / "table.csv")
    done(command(model, table, tmp_path / "one"))
    done(command(model, table, tmp_path / "two", "--processes", "2"))
    one, two = (load_file(tmp_path / run / "weights" / "model.safetensors") for run in ("one", "two"))
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)


_KILLER = """
import os, signal

class Killer:
    def start(self, folder, resolved, step): self.checkpoints = folder / "checkpoints"
    def log(self, event, step, figures):
        if any(self.checkpoints.glob("step-*")):
            os.kill(os.getpid(), signal.SIGKILL)
    def picture(self, path, step): pass
    def close(self): pass
"""


def test_goes_on_after_a_kill(tmp_path: Path) -> None:
    table = write_table(tmp_path / "table.csv")
    (tmp_path / "killer.py").write_text(_KILLER)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    code = done(command("lightgcn", table, killed, "--track", "killer:Killer", save_steps=2), PYTHONPATH=str(tmp_path))
    assert code == -signal.SIGKILL and not (killed / "weights").exists()
    done(command("lightgcn", table, killed, "--resume", save_steps=2))
    done(command("lightgcn", table, whole, save_steps=2))
    first, second = (load_file(run / "weights" / "model.safetensors") for run in (killed, whole))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert zoo.load(killed).predict(like=["g1-i3"], k=2)
