"""The loop: resumed equals uninterrupted, a bad loss stops it, a Ctrl-C leaves a run that goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from zoo.data.draws import Draws
from zoo.data.images.batches import TensorBatches
from zoo.engine.checkpoint import newest_checkpoint, read_checkpoint, saved, verify, write_checkpoint
from zoo.engine.loop import Evaluation, train
from zoo.engine.options import RunOptions
from zoo.engine.progress import Progress
from zoo.engine.recipe import Batch, Loss
from zoo.engine.run import Run
from zoo.engine.snapshot import restore, take
from zoo.engine.stepper import Stepper
from zoo.errors import IntegrityError, NotFoundError, StorageError, TrainingError, UsageError
from zoo.specs.settings import TrainingSettings

RESOLVED: dict[str, Any] = {
    "kind": "pretrain",
    "model": "tiny",
    "settings": {"epochs": 4},
    "environment": {"torch": "1"},
}


class TwoPlayers:
    """Two networks with an optimizer each, and dropout, so that every kind of state matters."""

    def __init__(self, *, poison: int | None = None) -> None:
        torch.manual_seed(0)
        self.first = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3), nn.Linear(8, 4))
        self.second = nn.Linear(4, 1)
        self.poison = poison
        self.count = 0

    def modules(self) -> Mapping[str, nn.Module]:
        return {"first": self.first, "second": self.second}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {
            "first": torch.optim.AdamW(self.first.parameters(), 0.01),
            "second": torch.optim.SGD(self.second.parameters(), 0.01, momentum=0.9),
        }

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        x = batch["images"].flatten(1)
        noise = draws.normal("noise", *x.shape[1:])
        yield Loss("second", self.second(x).square().mean())
        loss = (self.first(x + noise) - x).square().mean() + self.second(self.first(x)).mean()
        self.count += 1
        yield Loss("first", loss * float("nan") if self.count == self.poison else loss)

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        return {"score": float(self.second.weight.detach().norm())}

    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        return []

    def export(self) -> nn.Module:
        return self.first


def data() -> TensorBatches:
    images = np.random.default_rng(0).integers(0, 256, (40, 1, 2, 2), np.uint8)
    return TensorBatches(images, {}, batch_size=8, seed=0, shuffle=True, drop_last=True, device=torch.device("cpu"))


def go(folder: Path, recipe: TwoPlayers, **asked: Any) -> Run:
    return scored(folder, recipe, **asked)[0]


def scored(
    folder: Path, recipe: TwoPlayers, *, resume: bool = False, split: str = "test", **settings: Any
) -> tuple[Run, dict[str, float]]:
    """Return the run, and what the loop returns."""
    run = Run.resume(folder, RESOLVED) if resume else Run.create(folder, resolved=RESOLVED)
    chosen = TrainingSettings(batch_size=8, **{"epochs": 4, **settings})
    scores = train(
        Stepper(recipe, chosen, 20),
        data(),
        Evaluation(data(), split, "score", False),
        run=run,
        options=RunOptions(out=folder, resume=resume, stall_seconds=0),
        progress=Progress(enabled=False, title=""),
    )
    return run, scores


def stepper() -> Stepper:
    return Stepper(TwoPlayers(), TrainingSettings(), 20)


def state(recipe: TwoPlayers) -> dict[str, torch.Tensor]:
    return {f"{key}.{name}": t for key, m in recipe.modules().items() for name, t in m.state_dict().items()}


def equal(one: TwoPlayers, other: TwoPlayers) -> bool:
    theirs = state(other)
    return all(torch.equal(tensor, theirs[name]) for name, tensor in state(one).items())


@pytest.fixture(autouse=True)
def own_random_state() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        yield


def test_the_scores_at_the_end_are_returned(tmp_path: Path) -> None:
    recipe = TwoPlayers()
    _, scores = scored(tmp_path / "run", recipe)
    assert scores == recipe.evaluate([])
    again = scored(tmp_path / "run", TwoPlayers(), resume=True)[1]
    assert again == scores, "nothing was left to train, and what is there is scored"


class StopAfter(TwoPlayers):
    """Raise at a step, as a crash would."""

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        if self.count == 12:
            raise RuntimeError("crash")
        yield from super().step(batch, draws)


def test_resumed_equals_uninterrupted_to_the_bit(tmp_path: Path) -> None:
    whole = TwoPlayers()
    go(tmp_path / "whole", whole)
    with pytest.raises(RuntimeError, match="crash"):
        go(tmp_path / "part", StopAfter())
    torch.manual_seed(99)
    resumed = TwoPlayers()
    run = go(tmp_path / "part", resumed, resume=True)
    assert equal(whole, resumed)
    steps = [json.loads(line)["step"] for line in run.metrics.read_text().splitlines() if '"train"' in line]
    assert steps == sorted(set(steps))


def test_a_run_is_equal_to_the_bit_when_run_again(tmp_path: Path) -> None:
    first, second = TwoPlayers(), TwoPlayers()
    go(tmp_path / "first", first)
    torch.manual_seed(0)
    second = TwoPlayers()
    go(tmp_path / "second", second)
    assert equal(first, second)


def test_095_nan_stops_and_saves_nothing_of_it(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="is nan between steps") as caught:
        go(tmp_path / "run", TwoPlayers(poison=7))
    assert caught.value.exit_code == 9
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-00000005"]


def test_two_checkpoints_are_kept(tmp_path: Path) -> None:
    go(tmp_path / "run", TwoPlayers())
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert names == ["step-00000015", "step-00000020"]


def test_best_is_chosen_on_the_validation_split_alone(tmp_path: Path) -> None:
    run = go(tmp_path / "run", TwoPlayers(), split="validation")
    assert len(saved(run.checkpoints, "best")) == 1
    assert not saved(go(tmp_path / "other", TwoPlayers()).checkpoints, "best")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "no manifest"])
def test_097_broken_checkpoint_gives_the_one_before(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    run = go(tmp_path / "run", TwoPlayers())
    newest = run.checkpoints / "step-00000020"
    file = newest / ("manifest.json" if damage == "no manifest" else "first.safetensors")
    content = file.read_bytes()
    if damage == "no manifest":
        file.unlink()
    else:
        file.write_bytes(content[:-1] if damage == "truncated" else content[:-1] + bytes([content[-1] ^ 1]))
    assert verify(newest)
    assert newest_checkpoint(run.checkpoints) == run.checkpoints / "step-00000015"
    assert "using the previous one" in caplog.text


def test_097_none_is_left(tmp_path: Path) -> None:
    run = go(tmp_path / "run", TwoPlayers())
    for path in run.checkpoints.glob("*/manifest.json"):
        path.unlink()
    with pytest.raises(IntegrityError, match="no checkpoint"):
        newest_checkpoint(run.checkpoints)


def test_098_checkpoint_of_another_model(tmp_path: Path) -> None:
    run = go(tmp_path / "run", TwoPlayers())
    recipe = TwoPlayers()
    recipe.first = nn.Sequential(nn.Linear(4, 9), nn.Linear(9, 4))
    snapshot = read_checkpoint(run.checkpoints / "step-00000020")
    with pytest.raises(IntegrityError, match="another model"):
        restore(snapshot, Stepper(recipe, TrainingSettings(), 20), "it")


def test_099_disk_full_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = go(tmp_path / "run", TwoPlayers())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zoo.files.os.fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        write_checkpoint(run.checkpoints / "step-00000099", take(stepper(), {"step": 99}, {}))
    names = sorted(path.name for path in run.checkpoints.iterdir())
    assert names == ["step-00000015", "step-00000020"]


def test_053_existing_run_is_refused(tmp_path: Path) -> None:
    Run.create(tmp_path / "run", resolved=RESOLVED)
    with pytest.raises(UsageError, match="--resume.*--force"):
        Run.create(tmp_path / "run", resolved=RESOLVED)
    Run.create(tmp_path / "run", resolved=RESOLVED, force=True)


def test_053_force_replaces_runs_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="is no run"):
        Run.create(tmp_path, resolved=RESOLVED, force=True)


def test_054_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        Run.create(tmp_path / "file" / "run", resolved=RESOLVED)


def test_058_resume_with_other_settings_shows_them(tmp_path: Path) -> None:
    Run.create(tmp_path / "run", resolved=RESOLVED)
    with pytest.raises(IntegrityError, match=r"settings\.epochs 4 -> 5"):
        Run.resume(tmp_path / "run", {**RESOLVED, "settings": {"epochs": 5}})
    Run.resume(tmp_path / "run", {**RESOLVED, "environment": {"torch": "2"}})
    with pytest.raises(NotFoundError):
        Run.resume(tmp_path / "other", RESOLVED)


def test_057_ctrl_c_saves_and_the_run_goes_on(tmp_path: Path) -> None:
    command = ["pretrain", "dense_autoencoder", "--data", "fashion_mnist_sample", "--set", "epochs=4000"]
    arguments = [*command, "--out", str(tmp_path / "run")]
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    metrics = tmp_path / "run" / "metrics.jsonl"
    deadline = time.monotonic() + 90
    while not metrics.is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    if "no model named" in errors:
        pytest.skip("needs a model: pip install -e plugins/autoencoder")
    assert process.returncode == 130, errors
    assert "--resume" in errors
    (checkpoint, *_) = sorted((tmp_path / "run" / "checkpoints").iterdir())
    assert verify(checkpoint) is None
