"""How long is finetuned is planned by held-out parts, recorded, and kept by whatever goes on from the record."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.api.requests import finetune_request
from zoo.registry.registry import default_registry
from zoo.training import folds
from zoo.training.folds import _Compared, _Way
from zoo.training.prepare import prepare_job
from zoo.weights.stored import tensors_sha256

pytestmark = pytest.mark.skipif(
    "dense_autoencoder" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a model: pip install -e plugins/autoencoder",
)
COMMON: dict[str, Any] = {"task": "image-classification", "data": "fashion_mnist_sample", "labels": 40}
SETTINGS: dict[str, Any] = {"steps": 8, "augmentation": "none", "folds": 4}
Scored = Callable[[_Way, int], float]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "weights"
    zoo.pretrain("dense_autoencoder", data=COMMON["data"], out=run, settings={"steps": 1})
    return run


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[_Way]:
    """Score ways without training: half of the steps are best, and the head first is worse; return what is tried."""
    ways: list[_Way] = []

    def score(self: _Compared, way: _Way, fold: Any) -> float:
        ways.append(way)
        return {8: 50.0, 4: 60.0, 2: 55.0}[way.steps] - 5 * way.head_first + 2 * way.backbone_rate

    monkeypatch.setattr(_Compared, "_score", score)
    return ways


def planned(weights: Path, out: Path, *, settings: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return what is recorded of a job."""
    requested = finetune_request(weights, out=out, settings={**SETTINGS, **(settings or {})}, **COMMON, **more)
    return prepare_job(requested).resolved


def finetuned(weights: Path, out: Path, settings: dict[str, Any]) -> dict[str, Any]:
    zoo.finetune(weights, out=out, settings={**SETTINGS, **settings}, **COMMON)
    found: dict[str, Any] = json.loads((out / "run.json").read_text())
    return found


def test_the_best_way_is_recorded_with_its_reason(weights: Path, tmp_path: Path, tried: list[_Way]) -> None:
    found, best = planned(weights, tmp_path / "run"), _Way(4, 0.0, 1.0, 1.0)
    assert {name: found["settings"][name] for name in _Way._fields} == best._asdict()
    rule = "steps=8 head_first=0 backbone_rate=0.5 layer_decay=0.8"
    assert found["chosen"]["steps"] == f"accuracy 62 on 4 held-out parts, 51 by the rule ({rule})"
    expected = [_Way(steps, 0.0, 0.5, 0.8) for steps in (8, 4, 2)] + [_Way(4, 0.3, 0.5, 0.8), best]
    assert tried == [way for way in expected for _ in range(4)]


def test_what_was_said_stays_and_a_head_alone_has_no_other_rates(
    weights: Path, tmp_path: Path, tried: list[_Way]
) -> None:
    assert planned(weights, tmp_path / "run", settings={"head_first": 0.1})["settings"]["head_first"] == 0.1
    assert planned(weights, tmp_path / "rate", settings={"layer_decay": 0.7})["settings"]["backbone_rate"] == 0.5
    planned(weights, tmp_path / "frozen", method="frozen")
    assert {way.layer_decay for way in tried[-4:]} == {0.8} and {way.head_first for way in tried} == {0.0, 0.1, 0.3}


def test_a_resumed_run_keeps_its_plan_and_a_repeated_one_needs_none(
    weights: Path, tmp_path: Path, tried: list[_Way]
) -> None:
    finetuned(weights, tmp_path / "run", {})
    tried.clear()
    assert planned(weights, tmp_path / "run", resume=True)["settings"]["steps"] == 4
    assert zoo.reproduce(tmp_path / "run", out=tmp_path / "again").identical
    assert zoo.dry_run("finetune", weights, out=tmp_path / "x", settings=SETTINGS, **COMMON).steps == 8
    assert not tried


def test_two_plans_are_equal_and_change_nothing_but_settings(weights: Path, tmp_path: Path) -> None:
    settings = {"steps": 4, "folds": 2}
    first, second = (
        planned(weights, tmp_path / "first", settings=settings),
        finetuned(weights, tmp_path / "second", settings),
    )
    assert first["chosen"] == second["chosen"] and "held-out parts" in first["chosen"]["steps"]
    told = {name: first["settings"][name] for name in _Way._fields}
    finetuned(weights, tmp_path / "told", {**told, "folds": 0})
    assert tensors_sha256(tmp_path / "second" / "weights") == tensors_sha256(tmp_path / "told" / "weights")


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ({8: [50, 50], 4: [50, 50]}, 8),
        ({8: [50, 60], 4: [70, 45]}, 8),  # 2.5 better, 17.5 in error
        ({8: [50, 60], 4: [54, 63]}, 4),
    ],
)
def test_the_rule_stays_unless_another_is_surely_better(
    scores: dict[int, list[float]], best: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    job: Any = type("Job", (), {"recipe": default_registry().recipe("image_classification")})()
    found = {steps: iter(values) for steps, values in scores.items()}
    monkeypatch.setattr(_Compared, "_score", lambda self, way, fold: float(next(found[way.steps])))
    ways: Any = [_Way(8, 0.0, 1.0, 1.0), _Way(4, 0.0, 1.0, 1.0)]
    folded: Any = [None, None]
    assert _Compared(job, folded, None).best(ways).steps == best  # type: ignore[arg-type]


def test_a_tenth_is_held_out_of_many(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def score(self: _Compared, way: _Way, fold: Any) -> float:
        sizes.append(len(fold.splits["validation"]))
        return 1.0

    monkeypatch.setattr(_Compared, "_score", score)
    planned(weights, tmp_path / "few", settings={"folds": 2})
    assert set(sizes) == {20}
    monkeypatch.setattr(folds, "_FEW", 40)
    sizes.clear()
    planned(weights, tmp_path / "many", settings={"folds": 2})
    assert set(sizes) == {4}


def test_too_few_samples_and_several_processes_are_refused(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(zoo.UsageError, match="folds=4: of 10 training samples no part can be held out"):
        zoo.finetune(weights, out=tmp_path / "run", settings=SETTINGS, **{**COMMON, "labels": 10})
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(zoo.UsageError, match="folds=4 are trained by one process"):
        planned(weights, tmp_path / "run")
