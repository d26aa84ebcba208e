"""Every recipe is the same in two processes as in one, and a run that is killed goes on with both players in step."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import zoo

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
DATA = "fashion_mnist_sample"
QUICK = {"evaluations": 1, "bank_size": 64, "score_samples": 64}
# no Adam, which makes whole steps of differences of 1e-8, and no batch norm, which sees a process's own pictures
ALIKE = {
    "steps": 4,
    "optimizer": "sgd",
    "learning_rate": 0.02,
    "discriminator_rate": 0.02,
    "ema": 0.0,
    "clip": 1.0,
    **QUICK,
}


def command(kind: str, of: str, out: Path, settings: dict[str, Any], *more: str) -> list[str]:
    pairs = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    return [sys.executable, "-m", "zoo", kind, of, "--data", DATA, "--out", str(out), *pairs, *more]


def trained(arguments: list[str]) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
    assert done.returncode == 0, done.stderr


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "weights" / "model.safetensors")


@pytest.mark.parametrize(
    ("recipe", "more"),
    [
        ("minimax", {}),
        ("non_saturating", {"augmentation": "colour_translation_cutout"}),
        ("least_squares", {}),
        ("hinge", {"accumulate": 2}),
        ("wasserstein_gan", {"discriminator_steps": 1}),
        ("relativistic", {}),
    ],
)
def test_two_processes_train_as_one_does(recipe: str, more: dict[str, Any], tmp_path: Path) -> None:
    settings = {**ALIKE, **more}
    arguments = ["--recipe", recipe, "--arg", "classes=10", "--processes", "2"]
    trained(command("pretrain", "dense_gan", tmp_path / "two", settings, *arguments))
    zoo.pretrain(
        "dense_gan", recipe=recipe, data=DATA, out=tmp_path / "one", settings=settings, arguments={"classes": 10}
    )
    torch.testing.assert_close(weights(tmp_path / "two"), weights(tmp_path / "one"), atol=1e-6, rtol=1e-5)


def test_two_processes_take_a_gan_to_other_data_as_one_does(tmp_path: Path) -> None:
    zoo.pretrain("dense_gan", data=DATA, out=tmp_path / "gan", settings={**QUICK, "steps": 2})
    settings = {**ALIKE, "minimum_steps": 4}
    task = ["--task", "unconditional-image-generation"]
    trained(command("finetune", str(tmp_path / "gan"), tmp_path / "two", settings, *task, "--processes", "2"))
    zoo.finetune(tmp_path / "gan", task=task[1], data=DATA, out=tmp_path / "one", settings=settings)
    torch.testing.assert_close(weights(tmp_path / "two"), weights(tmp_path / "one"), atol=1e-6, rtol=1e-5)


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    settings = {"steps": 60, "save_steps": 10, "batch_size": 32, "ema": 0.9, **QUICK}
    small = [part for pair in ("width=4", "latent_size=8", "classes=10") for part in ("--arg", pair)]
    trained(command("pretrain", "dcgan", tmp_path / "whole", settings, *small))
    arguments = command("pretrain", "dcgan", tmp_path / "run", settings, *small)
    moments, kills = random.Random(0), 0
    for place in range(1, 4):
        process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        deadline = time.monotonic() + 120
        while process.poll() is None and saved(tmp_path / "run") < 10 * place and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moments.random() / 10)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
        arguments = command("pretrain", "dcgan", tmp_path / "run", settings, *small, "--resume")
    assert kills, "none of the runs was still going"
    trained(arguments)
    names = ("weights/model.safetensors", "pictures/training.png", "pictures/nearest.png")
    assert all((tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes() for name in names)


def saved(run: Path) -> int:
    """Return the last step of which there is a checkpoint."""
    return max((int(path.name.partition("-")[2]) for path in run.glob("checkpoints/step-*")), default=0)
