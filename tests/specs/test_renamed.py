"""Names of the last release work, and say what they are called now; what was stored by them is read without a word."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from tests.tiny import install, make_weights
from zoo.cli import run
from zoo.registry.catalogue import read_catalogue
from zoo.registry.recipe_settings import current_settings, recipe_settings
from zoo.registry.registry import default_registry
from zoo.specs.renamed import current_keys
from zoo.weights.config import read_config

NOTICE = "; the old name goes with the next release"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rehearse", "dry_run"),
        ("normalise", "normalize"),
        ("colour_jitter", "color_jitter"),
        ("random_grey", "random_grayscale"),
        ("random_solarise", "random_solarize"),
        ("AuthorisationError", "AuthorizationError"),
        ("Learner", "learner"),
    ],
)
def test_a_public_name(old: str, new: str, caplog: pytest.LogCaptureFixture) -> None:
    assert getattr(zoo, old) is getattr(zoo, new)
    assert f"zoo.{old} is now zoo.{new}{NOTICE}" in caplog.text


def test_a_keyword_of_a_spec(caplog: pytest.LogCaptureFixture) -> None:
    old: Any = {"licence": "MIT"}
    spec = zoo.ModelSpec(name="net", family="cnn", summary="A net", target="net:Net", **old)
    assert spec.license == "MIT"
    assert f"licence= of ModelSpec is now license={NOTICE}" in caplog.text
    caplog.clear()
    assert spec.licence == "MIT"  # type: ignore[attr-defined]
    assert f"ModelSpec.licence is now ModelSpec.license{NOTICE}" in caplog.text


def test_a_keyword_of_a_loss(caplog: pytest.LogCaptureFixture) -> None:
    old: Any = {"figures": {"code": torch.ones(())}}
    assert list(zoo.Loss("model", torch.ones(()), **old).metrics) == ["code"]
    assert f"figures= of Loss is now metrics={NOTICE}" in caplog.text


def test_a_keyword_of_a_function(caplog: pytest.LogCaptureFixture) -> None:
    old: Any = {"licence": "none of these"}
    assert zoo.list_models(**old) == []
    assert f"licence= of list_models is now license={NOTICE}" in caplog.text


def test_the_present_names_say_nothing(caplog: pytest.LogCaptureFixture) -> None:
    zoo.ModelSpec(name="net", family="cnn", summary="A net", target="net:Net", license="MIT")
    assert not caplog.records


def test_what_a_task_learns_from(caplog: pytest.LogCaptureFixture) -> None:
    task = zoo.TaskSpec(
        name="answers", summary="Answers", recipe="r", score="s", modality="text", learns_from="written"
    )
    assert task.learns_from == "target_text"
    assert f"learns_from='written' is now learns_from='target_text'{NOTICE}" in caplog.text


def test_a_setting_that_is_typed(caplog: pytest.LogCaptureFixture) -> None:
    _, settings = recipe_settings("translation", None, {"max_written": "7"})
    assert settings.max_target_tokens == 7  # type: ignore[attr-defined]
    assert f"setting max_written is now max_target_tokens{NOTICE}" in caplog.text


def test_a_setting_that_is_stored(caplog: pytest.LogCaptureFixture) -> None:
    stored = {"written": 3, "masked": 0.1}
    found = current_settings("text_denoising", stored)
    assert "written" not in found and (found["target_tokens"], found["masked"], found["ema"]) == (3, 0.1, 0.0)
    assert current_settings("a recipe that is gone", stored) == stored
    assert not caplog.records


def test_a_key_in_both_forms_is_left_to_the_schema() -> None:
    assert current_keys({"old": 1, "new": 2}, {"old": "new"}) == {"old": 1, "new": 2}


def test_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(("list", "--models", "--licence", "none of these")) == 0
    assert f"--licence is now --license{NOTICE}" in capsys.readouterr().err
    assert run(("list", "--models", "--license", "none of these")) == 0
    assert "is now" not in capsys.readouterr().err


def test_a_key_of_config_json(
    site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_tiny")
    install(site)
    default_registry.cache_clear()
    make_weights(tmp_path)
    path = tmp_path / "config.json"
    written = json.loads(path.read_text())
    written["zoo"]["data"]["licence"] = written["zoo"]["data"].pop("license")
    path.write_text(json.dumps(written))
    data = read_config(tmp_path).data
    assert data is not None and data.license == "MIT"
    assert not caplog.records


def test_a_key_of_a_registry(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    entry = {
        "repo": "org/net",
        "revision": "a" * 40,
        "files": {"model.safetensors": {"sha256": "b" * 64, "size": 1}},
        "plugin": "zoo-net",
        "task": "image-classification",
        "licence": "MIT",
    }
    path = tmp_path / "registry.json"
    path.write_text(json.dumps({"schema_version": 1, "weights": {"net.a": entry}, "aliases": {}, "plugins": {}}))
    assert read_catalogue(path).entries["net.a"].license == "MIT"
    assert not caplog.records
