"""A time becomes a number of steps before training begins; from then on that number alone decides."""

import json
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.registry.registry import default_registry
from zoo.training import budget
from zoo.weights.stored import tensors_sha256

pytestmark = pytest.mark.skipif(
    "dense_autoencoder" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a model: pip install -e plugins/autoencoder",
)
COMMON: dict[str, Any] = {"data": "fashion_mnist_sample"}


@pytest.fixture(autouse=True)
def pace(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Let a step take so many seconds, and all scores."""
    taken = {"step": 0.5, "scores": 1.0}
    monkeypatch.setattr(budget, "seconds_a_step", lambda *_: taken["step"])
    monkeypatch.setattr(budget, "seconds_to_evaluate", lambda *_: taken["scores"])
    return taken


def steps(run: Path) -> int:
    return int(json.loads((run / "run.json").read_text())["settings"]["steps"])


def test_steps_and_scores_fit_into_the_time(tmp_path: Path) -> None:
    settings = {"steps": "6s", "batch_size": 200}
    zoo.pretrain("dense_autoencoder", out=tmp_path / "run", settings=settings, **COMMON)
    assert steps(tmp_path / "run") == 8, "eight halves of a second, and scores after the last step and at the end"
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().split("\n") if line]
    assert max(line.get("step", 0) for line in lines) == 8


def test_the_number_alone_decides(tmp_path: Path) -> None:
    zoo.pretrain("dense_autoencoder", out=tmp_path / "timed", settings={"steps": "0.1m"}, **COMMON)
    zoo.pretrain("dense_autoencoder", out=tmp_path / "told", settings={"steps": steps(tmp_path / "timed")}, **COMMON)
    assert tensors_sha256(tmp_path / "timed" / "weights") == tensors_sha256(tmp_path / "told" / "weights")


def test_a_resumed_run_keeps_its_steps(tmp_path: Path, pace: dict[str, float]) -> None:
    zoo.pretrain("dense_autoencoder", out=tmp_path / "run", settings={"steps": "6s"}, **COMMON)
    before = steps(tmp_path / "run")
    pace["step"] = 0.1
    zoo.pretrain("dense_autoencoder", out=tmp_path / "run", settings={"steps": "6s"}, resume=True, **COMMON)
    assert steps(tmp_path / "run") == before


def test_both_sides_of_a_comparison_take_as_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    zoo.pretrain("dense_autoencoder", out=tmp_path / "weights", settings={"steps": 1}, **COMMON)
    found = iter([1.0, 0.1])
    monkeypatch.setattr(budget, "seconds_a_step", lambda *_: next(found))
    task: dict[str, Any] = {"task": "image-classification", "labels": 40, "baselines": True, **COMMON}
    settings = {"steps": "5s", "augmentation": "none"}
    zoo.finetune(tmp_path / "weights", out=tmp_path / "run", settings=settings, **task)
    assert steps(tmp_path / "run") == steps(tmp_path / "run" / "scratch")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("ten m", "'ten m' is not a time to train for; write it as 90s, 10m or 1.5h"),
        ("-5m", "'-5m' is not a time"),
        ("2s", "2s is too short for one step and its scores, which take 2.5 s here"),
    ],
)
def test_what_is_no_time_or_too_short_is_refused(asked: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match=message):
        zoo.pretrain("dense_autoencoder", out=tmp_path / "run", settings={"steps": asked}, **COMMON)
    assert not (tmp_path / "run").exists()
