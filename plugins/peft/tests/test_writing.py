"""What a run has learnt by LoRA is written as PEFT does, and loads again as the run itself."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import zoo


@pytest.fixture
def run(tmp_path: Path, served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a run that learnt by LoRA from weights on a Hub that have other classes."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    inputs = zoo.Preprocessing(image_size=(28, 28), channels=1)
    model = zoo.create("resnet18", widths=[8, 8, 8, 8], channels=1, num_classes=2)
    zoo.save(model, tmp_path / "base", labels=("light", "dark"), inputs=inputs)
    zoo.push(tmp_path / "base", "me/base", hub=served_hub.url, private=False, license="mit")
    asked = {"task": "image-classification", "data": "fashion_mnist_sample", "labels": 100, "method": "lora"}
    settings = {"steps": 3, "minimum_steps": 0, "batch_size": 16, "lora_rank": 2, "learning_rate": 0.1}
    return zoo.finetune("hf://me/base", out=tmp_path / "run", settings=settings, hub=served_hub.url, **asked).folder


def test_a_run_is_written_and_loads_as_itself(run: Path, served_hub: Any, tmp_path: Path) -> None:
    out = zoo.export(run, to="peft", out=tmp_path / "out")
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    config = json.loads((out / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "me/base" and len(config["revision"]) == 40
    assert (config["r"], config["modules_to_save"]) == (2, ["fc"])
    assert "layer1.0.conv1" in config["target_modules"]
    assert "peft.PeftModel.from_pretrained" in (out / "README.md").read_text()
    ours, wanted = zoo.load(out, hub=served_hub.url), zoo.load(run)
    torch.testing.assert_close(dict(ours.state_dict()), dict(wanted.state_dict()))
    assert not Path("zoo.lock").exists()  # its metadata say which weights it is for
    assert zoo.describe(out).labels == zoo.describe(run).labels


def test_another_base_than_that_in_the_metadata_is_refused(run: Path, served_hub: Any, tmp_path: Path) -> None:
    out = zoo.export(run, to="peft", out=tmp_path / "out")
    path = out / "adapter_model.safetensors"
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    said = json.loads(metadata["zoo"])
    for changed, message in (
        ({"base_sha256": "0" * 64}, "has other weights, .* than .*adapter_model.safetensors pins as the base"),
        ({"base_sha256": "x"}, "has metadata 'zoo' that no Zoo wrote"),
        ({"more": 1}, "has metadata 'zoo' that no Zoo wrote"),
    ):
        save_file(load_file(path), path, metadata={**metadata, "zoo": json.dumps({**said, **changed})})
        with pytest.raises(zoo.IntegrityError, match=message):
            zoo.load(out, hub=served_hub.url)


def test_weights_without_an_adapter_are_not_written(run: Path, tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match="holds no adapter of Zoo's; `zoo finetune --method lora` makes one"):
        zoo.export(tmp_path / "base", to="peft", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
