"""What is left to the data is chosen once, told, recorded by name, and kept by whatever goes on from the record."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.api.requests import finetune_request, pretrain_request
from zoo.modalities.image import ImageModality
from zoo.registry.recipe_settings import settings_toml
from zoo.registry.registry import default_registry
from zoo.specs.modality_offers import Chosen
from zoo.training.job import TrainingJob, finetuning, pretraining

pytestmark = pytest.mark.skipif(
    not {"dense_autoencoder", "resnet20"} <= {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs models: pip install -e plugins/autoencoder plugins/cnn",
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count how often the modality makes a choice, which is to shift, and not to mirror."""
    kinds: list[str] = []

    def choose(self: ImageModality, kind: str, dataset: Any, settings: Any) -> Chosen | None:
        kinds.append(kind)
        return Chosen(value="no" if kind == "mirroring" else "shift", reason="it is a test")

    monkeypatch.setattr(ImageModality, "choose", choose)
    return kinds


def settled(out: Path, settings: Mapping[str, Any], **more: Any) -> TrainingJob:
    task: dict[str, Any] = {"task": "image-classification", "data": "fashion_mnist_sample", "method": "scratch"}
    return finetuning(finetune_request("dense_autoencoder", out=out, labels=40, settings=settings, **task, **more))


def policy(job: TrainingJob) -> str:
    return str(job.resolved["settings"]["augmentation"])


def test_a_choice_is_made_and_told_once_and_recorded_by_name(
    asked: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "zoo"):
        job = settled(tmp_path / "run", {"steps": 200})
    assert policy(job) == "shift" and job.resolved["chosen"] == {"augmentation": "it is a test"}
    assert "augmentation=shift, chosen by the data: it is a test" in caplog.messages
    assert 'augmentation = "shift"' in settings_toml(job.recipe.spec.name, job.settings)
    assert policy(settled(tmp_path / "run", {"steps": 300})) == "shift" and asked == ["augmentation"]
    settled(tmp_path / "run", {"steps": 200, "seed": 1})
    assert len(asked) == 2, "another seed draws others"


def test_what_is_given_and_what_is_short_is_not_asked_about(asked: list[str], tmp_path: Path) -> None:
    assert policy(settled(tmp_path / "run", {"steps": 200, "augmentation": "none"})) == "none"
    short = settled(tmp_path / "run", {"steps": 199})
    assert policy(short) == "auto" and short.resolved["chosen"] == {} and not asked


def test_a_resumed_run_keeps_what_it_has_and_a_repeated_one_asks_nothing(asked: list[str], tmp_path: Path) -> None:
    first = settled(tmp_path / "run", {"steps": 200})
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(json.dumps(first.resolved))
    asked.clear()
    for settings in ({"steps": 200}, {"steps": 200, "augmentation": "auto"}):
        assert policy(settled(tmp_path / "run", settings, resume=True)) == "shift"
    assert policy(settled(tmp_path / "run", {"steps": 200, "augmentation": "flip"}, resume=True)) == "flip"
    before = {**first.resolved, "settings": {**first.resolved["settings"], "augmentation": "auto"}}
    (tmp_path / "run" / "run.json").write_text(json.dumps(before))
    assert policy(settled(tmp_path / "run", {"steps": 200}, resume=True)) == "auto", "a run of before goes on as it was"
    assert policy(settled(tmp_path / "run", {"steps": 200, "augmentation": "auto"}, repeated=True)) == "auto"
    assert not asked


def test_contrastive_recipes_ask_about_mirroring_alone(asked: list[str], tmp_path: Path) -> None:
    common: dict[str, Any] = {"data": "fashion_mnist_sample", "out": tmp_path / "run", "settings": {"steps": 200}}
    simclr = pretraining(pretrain_request("resnet20", recipe="simclr", **common))
    assert simclr.resolved["settings"]["mirrored"] == "no" and asked == ["mirroring"]
    supervised = pretraining(pretrain_request("resnet20", recipe="supervised", **common))
    assert policy(supervised) == "shift" and asked == ["mirroring", "augmentation"]


def test_a_cached_choice_that_is_broken_is_made_again(asked: list[str], tmp_path: Path) -> None:
    settled(tmp_path / "run", {"steps": 200})
    (cached,) = (zoo.cache_folder() / "choices").glob("*.json")
    cached.write_bytes(b'{"value": 3')
    assert policy(settled(tmp_path / "run", {"steps": 200})) == "shift" and len(asked) == 2


def test_a_value_that_no_setting_can_be_names_the_modality(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageModality, "choose", lambda *_: Chosen(value="upside_down", reason=""))
    with pytest.raises(zoo.PluginError, match="modality 'image' chooses what no setting can be"):
        settled(tmp_path / "run", {"steps": 200})


def test_one_that_chooses_nothing_leaves_auto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageModality, "choose", lambda *_: None)
    assert policy(settled(tmp_path / "run", {"steps": 200})) == "auto"
