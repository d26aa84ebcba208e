"""What a zoo wrote that knew format_version 1 alone, as it did: it loads, verifies, goes on and is made again."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import zoo
from zoo.registry.registry import default_registry

WRITTEN = Path(__file__).parents[1] / "fixtures" / "version_1"
MODELS = {"conv_autoencoder", "gpt2"}

pytestmark = pytest.mark.skipif(
    not MODELS <= {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs backbones: pip install -e plugins/autoencoder -e plugins/transformer",
)


@pytest.fixture(autouse=True)
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a copy, as on the machine where it was written: records name their data by paths from there."""
    folder = Path(shutil.copytree(WRITTEN, tmp_path / "written"))
    (folder / "run" / "pictures").mkdir(exist_ok=True)  # git keeps no empty folder
    monkeypatch.chdir(folder)
    return folder


def test_the_files_are_of_version_1() -> None:
    for name in ("image", "text"):
        assert json.loads(Path(name, "config.json").read_text())["zoo"]["format_version"] == 1
    assert "options" not in json.loads(Path("run/run.json").read_text())["source"]


def test_weights_of_images_load_and_say_how_images_become_inputs() -> None:
    described = zoo.describe("image")
    assert described.inputs is not None and described.inputs.modality == "image"
    assert described.preprocessing == zoo.Preprocessing(image_size=(8, 8), channels=1)
    assert described.inputs.to_builtins()["plugin"] == "zoo-hub"
    model: Any = zoo.load("image")
    stored = load_file("image/selftest.safetensors")
    with torch.no_grad():
        assert torch.allclose(
            model.reconstruct(stored["input.images"] / 255).flatten(), stored["reconstruction"], atol=1e-5
        )


def test_weights_of_texts_load_and_go_on_with_one() -> None:
    described = zoo.describe("text")
    assert described.inputs is not None and described.inputs.modality == "text"
    assert described.tokenization is not None and described.tokenization.max_tokens == 8
    assert zoo.load("text").generate("the cat", max_new_tokens=3)


@pytest.mark.parametrize("name", ["image", "text"])
def test_weights_verify(name: str) -> None:
    found = zoo.verify(name)
    assert found.selftest is not None and found.selftest.first_off is None


@pytest.mark.parametrize("name", ["image", "text"])
def test_weights_are_made_again(name: str, tmp_path: Path) -> None:
    found = zoo.reproduce(name, out=tmp_path / "again")
    here, there = (load_file(folder / "model.safetensors") for folder in (found.result.weights, Path(name)))
    assert here.keys() == there.keys() and all(torch.allclose(here[key], there[key], atol=1e-3) for key in here)
    for then, now in found.scores.values():
        assert now == pytest.approx(then, rel=1e-3)


def test_weights_are_pushed_as_of_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo.push("image", "tester/image", hub=tmp_path / "hub", private=False)
    pulled = zoo.pull("hf://tester/image", hub=tmp_path / "hub")
    assert zoo.describe(pulled.folder) == zoo.describe("image")


def test_weights_are_scored_and_finetuned(tmp_path: Path) -> None:
    assert zoo.evaluate("image", data="images")["mse"] == pytest.approx(
        json.loads(Path("image/metrics.jsonl").read_text().splitlines()[-1])["mse"], rel=1e-3
    )
    assert zoo.evaluate("text", data="texts.txt")
    classes = tmp_path / "classes"
    for name in ("a", "b"):
        shutil.copytree("images", classes / name)
    run = zoo.finetune(
        "image", task="image-classification", data=str(classes), out=tmp_path / "run", settings={"steps": 1}
    )
    assert json.loads((run.weights / "config.json").read_text())["zoo"]["format_version"] == 2


def test_a_run_goes_on(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"epochs": 4, "batch_size": 4, "evaluations": 4}
    arguments = {"widths": [2, 2], "code_size": 2}
    given: dict[str, Any] = {"data": "images", "out": "run", "settings": settings, "arguments": arguments}
    with pytest.raises(zoo.IntegrityError, match="settings.epochs 4 -> 5"):
        zoo.pretrain("conv_autoencoder", **{**given, "settings": {**settings, "epochs": 5}}, resume=True)
    run = zoo.pretrain("conv_autoencoder", **given, resume=True)
    resumed, whole = (load_file(folder / "model.safetensors") for folder in (run.weights, Path("image")))
    assert all(torch.allclose(resumed[name], whole[name], atol=1e-3) for name in whole)
