"""What is left to the data is chosen once, told, recorded by name, and kept by whatever goes on from the record."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.engine.interruption import Interrupted
from zoo.modalities.image import ImageModality
from zoo.registry.registry import default_registry
from zoo.specs.modality_offers import Chosen
from zoo.training import choices

pytestmark = pytest.mark.skipif(
    "dense_autoencoder" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs models: pip install -e plugins/autoencoder",
)
TASK = {"task": "image-classification", "data": "fashion_mnist_sample", "method": "scratch"}
FEW: dict[str, Any] = {"batch_size": 16, "evaluations": 1}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let 3 steps be worth a choice, and count how often the modality makes one."""
    kinds: list[str] = []

    def choose(self: ImageModality, kind: str, dataset: Any, settings: Any) -> Chosen | None:
        kinds.append(kind)
        return Chosen(value="shift", reason="it is a test")

    monkeypatch.setattr(ImageModality, "choose", choose)
    monkeypatch.setattr(choices, "_WORTH_STEPS", 3)
    return kinds


def train(out: Path, settings: dict[str, Any], **more: Any) -> dict[str, Any]:
    zoo.finetune("dense_autoencoder", out=out, settings={**FEW, **settings}, labels=40, **TASK, **more)
    record: dict[str, Any] = json.loads((out / "run.json").read_text())
    return record


def test_a_choice_is_told_once_recorded_and_reproduced(
    asked: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "zoo"):
        record = train(tmp_path / "first", {"steps": 3})
    assert record["settings"]["augmentation"] == "shift" and record["chosen"] == {"augmentation": "it is a test"}
    assert [line for line in caplog.messages if "augmentation" in line] == [
        "augmentation=shift, chosen by the data: it is a test"
    ]
    assert 'augmentation = "shift"' in (tmp_path / "first" / "recipe.toml").read_text()
    train(tmp_path / "second", {"steps": 3})
    assert asked == ["augmentation"], "the second time it is known for these data"
    train(tmp_path / "other", {"steps": 3, "seed": 1})
    assert len(asked) == 2
    again = zoo.reproduce(tmp_path / "first", out=tmp_path / "again")
    assert again.identical and len(asked) == 2


def test_what_is_given_and_what_is_short_is_not_asked_about(asked: list[str], tmp_path: Path) -> None:
    assert train(tmp_path / "given", {"steps": 3, "augmentation": "none"})["settings"]["augmentation"] == "none"
    short = train(tmp_path / "short", {"steps": 2})
    assert short["settings"]["augmentation"] == "auto" and short["chosen"] == {} and not asked


def test_a_resumed_run_keeps_its_choice(asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.engine.stepper import Stepper

    real, steps = Stepper.step, []

    def interrupted(self: Any, batch: Any, step: int, epoch: int = 0) -> None:
        steps.append(step)
        if len(steps) == 3:
            raise Interrupted(2)
        real(self, batch, step, epoch)

    monkeypatch.setattr(Stepper, "step", interrupted)
    with pytest.raises(Interrupted):
        train(tmp_path / "run", {"steps": 4, "save_steps": 1})
    monkeypatch.setattr(ImageModality, "choose", lambda *_: pytest.fail("a run that goes on has chosen"))
    record = train(tmp_path / "run", {"steps": 4, "save_steps": 1}, resume=True)
    assert record["settings"]["augmentation"] == "shift" and steps[-1] == 3


def test_a_cached_choice_that_is_broken_is_made_again(asked: list[str], tmp_path: Path) -> None:
    train(tmp_path / "first", {"steps": 3})
    (cached,) = (zoo.cache_folder() / "choices").glob("*.json")
    cached.write_bytes(b'{"value": 3')
    train(tmp_path / "second", {"steps": 3})
    assert len(asked) == 2


def test_a_value_that_no_setting_can_be_names_the_modality(
    asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageModality, "choose", lambda *_: Chosen(value="upside_down", reason=""))
    with pytest.raises(zoo.PluginError, match="modality 'image' chooses what no setting can be"):
        train(tmp_path / "run", {"steps": 3})
