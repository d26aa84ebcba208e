"""A rehearsal tells what a run will take, and leaves nothing behind."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.cli.training import show_rehearsal
from zoo.engine.stepper import Stepper
from zoo.errors import DataError, UsageError
from zoo.registry.registry import default_registry
from zoo.training import pace

pytestmark = pytest.mark.skipif(
    "dense_autoencoder" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs models: pip install -e plugins/autoencoder",
)
DATA = "fashion_mnist_sample"


def test_counts_are_those_of_the_run(tmp_path: Path) -> None:
    settings = {"epochs": 3, "batch_size": 100}
    found = zoo.dry_run("pretrain", "dense_autoencoder", data=DATA, out=tmp_path / "run", settings=settings)
    assert (found.steps, found.batch_size, found.train_samples) == (60, 100, 2000)
    assert found.parameters == found.trained_parameters == 101_200
    # two matrix products of 784 x 64 forward, and two for each on the way back but the one for the pictures' gradient
    assert found.flops_per_sample == pytest.approx(2 * 784 * 64 * 5)
    assert found.samples_per_second > 0 and found.memory > 10e6
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_would_be_refused_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is no run, which is never replaced"):
        zoo.dry_run("pretrain", "dense_autoencoder", data=DATA, out=tmp_path)


def test_unlabelled_data_are_noticed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    zoo.pretrain("dense_autoencoder", data=DATA, out=run, settings={"steps": 1})
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(4):
        (pictures / f"{number}.png").write_bytes((run / "pictures" / "reconstructions.png").read_bytes())
    with pytest.raises(DataError, match="no labels"):
        zoo.dry_run("finetune", run, task="image-classification", data=str(pictures), out=tmp_path / "x")


def test_an_automatic_batch_size_fits_and_is_kept_when_resumed(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"steps": 2, "batch_size": "auto"}
    zoo.pretrain("dense_autoencoder", data=DATA, out=tmp_path / "run", settings=settings)
    text = (tmp_path / "run" / "recipe.toml").read_text()
    assert "batch_size = 128\n" in text  # the largest of which an epoch of 2,000 has ten
    zoo.pretrain("dense_autoencoder", data=DATA, out=tmp_path / "run", settings=settings, resume=True)
    assert (tmp_path / "run" / "recipe.toml").read_text() == text


def test_a_large_batch_is_rehearsed_by_a_few_of_its_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"epochs": 1, "batch_size": 40, "accumulate": 2}
    whole = zoo.dry_run("pretrain", "dense_autoencoder", data=DATA, out=tmp_path / "run", settings=settings)
    taken: list[int] = []
    step = Stepper.step

    def counted(self: Stepper, batch: Any, *rest: Any) -> None:
        taken.append(len(batch["images"]))
        step(self, batch, *rest)

    monkeypatch.setattr(Stepper, "step", counted)
    monkeypatch.setattr(pace, "_LOOKED_AT_FROM", 1)
    monkeypatch.setattr(pace, "_BYTES", 1)  # no more than the fewest fit
    found = zoo.dry_run("pretrain", "dense_autoencoder", data=DATA, out=tmp_path / "run", settings=settings)
    assert taken == [4] * 7
    assert found.batch_shape == whole.batch_shape == (40, 1, 28, 28)
    assert (found.steps, found.batch_size, found.flops_per_sample) == (50, 40, whole.flops_per_sample)
    monkeypatch.setattr(pace, "_BYTES", 1 << 40)
    monkeypatch.setattr(pace, "_SECONDS", 1e9)
    taken.clear()
    zoo.dry_run("pretrain", "dense_autoencoder", data=DATA, out=tmp_path / "run", settings=settings)
    assert taken == [4, 4, *[40] * 5]


def test_classes_are_listed_with_their_shares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = zoo.dry_run("pretrain", "dense_autoencoder", data=DATA, out=tmp_path / "run", settings={"steps": 1})
    assert len(found.classes) == 10 and set(found.classes.values()) == {0.1}
    show_rehearsal(dataclasses.replace(found, classes={"sky": 0.25, "road": 0.7, "void": 0.05}))
    assert "classes       road 70.0%, sky 25.0%, void 5.0%\n" in capsys.readouterr().out


def test_the_command_prints_what_is_needed(tmp_path: Path) -> None:
    arguments = ["pretrain", "dense_autoencoder", "--data", DATA, "--out", str(tmp_path / "run"), "--dry-run"]
    done = subprocess.run([sys.executable, "-m", "zoo", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for word in ("samples/s", "MFLOP", "memory", "disk", "nothing was written"):
        assert word in done.stdout
    assert not (tmp_path / "run").exists()
