"""Arguments of a model that only change how it learns are given to finetuning; the weights keep their shapes."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo.cli import run
from zoo.errors import UsageError
from zoo.hub.server.serving import ServedHub
from zoo.registry.registry import default_registry
from zoo.weights.folder import save_weights

pytestmark = pytest.mark.skipif(
    "resnet20" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a backbone with drop paths: pip install -e plugins/cnn",
)
TUNED: dict[str, Any] = {"task": "image-classification", "data": "fashion_mnist_sample", "labels": 60}
SETTINGS: dict[str, Any] = {"steps": 3, "minimum_steps": 0, "batch_size": 16, "lora_rank": 2, "learning_rate": 0.1}
DROPPED = {"drop_path_rate": 0.4}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    arguments = {"widths": [4, 4, 8], "depth": 1, "channels": 1, "num_classes": 2}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = zoo.create("resnet20", **arguments)
    save_weights(
        tmp_path / "base",
        model,
        model_name="resnet20",
        arguments=arguments,
        labels=("cat", "dog"),
        inputs=zoo.Preprocessing(image_size=(28, 28), channels=1),
    )
    return tmp_path / "base"


def finetuned(weights: str | Path, out: Path, arguments: Any = DROPPED, **more: Any) -> Path:
    zoo.finetune(weights, out=out, settings=SETTINGS, arguments=arguments, **TUNED, **more)
    return out


def config(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "config.json").read_text())["zoo"]
    return found


def test_an_argument_changes_how_the_weights_learn_and_is_on_record(weights: Path, tmp_path: Path) -> None:
    dropped, plain = finetuned(weights, tmp_path / "dropped"), finetuned(weights, tmp_path / "plain", None)
    ours, theirs = (config(folder / "weights")["arguments"] for folder in (dropped, plain))
    assert ours == {**theirs, **DROPPED} and theirs["drop_path_rate"] == 0
    some, others = (zoo.load(folder).state_dict() for folder in (dropped, plain))
    assert any(not torch.equal(tensor, others[name]) for name, tensor in some.items())
    assert zoo.reproduce(dropped, out=tmp_path / "again").identical


def test_what_would_change_the_weights_is_refused(weights: Path, tmp_path: Path) -> None:
    for arguments in ({"widths": [4, 4, 4]}, {"depth": 2}):
        with pytest.raises(UsageError, match=r"the model has another .* than the weights; .*such as dropout"):
            finetuned(weights, tmp_path / "run", arguments)
    with pytest.raises(UsageError, match="has no argument 'droput'"):
        finetuned(weights, tmp_path / "run", {"droput": 0.1})
    assert not (tmp_path / "run").exists()


def test_an_adapter_keeps_the_arguments_of_its_base(weights: Path, tmp_path: Path, served_hub: ServedHub) -> None:
    zoo.push(weights, "me/base", hub=served_hub.url, private=False, license="mit")
    tuned = finetuned("hf://me/base", tmp_path / "run", method="lora", hub=served_hub.url)
    assert config(tuned / "adapter")["arguments"]["drop_path_rate"] == 0
    merged = zoo.load(tuned).state_dict()
    alone = zoo.load(tuned / "adapter", hub=served_hub.url).state_dict()
    assert all(torch.allclose(tensor, merged[name], atol=1e-6) for name, tensor in alone.items())


def test_the_shell_takes_arguments(weights: Path, tmp_path: Path) -> None:
    line = f"finetune {weights} --out {tmp_path / 'run'} --task image-classification --data fashion_mnist_sample"
    assert run([*line.split(), "--labels", "20", "--set", "steps=1", "--arg", "drop_path_rate=0.2"]) == 0
    assert config(tmp_path / "run" / "weights")["arguments"]["drop_path_rate"] == 0.2


def test_from_scratch_a_model_by_its_name_takes_any_argument_and_fits_the_data(tmp_path: Path) -> None:
    requested = {"widths": [4, 4, 8], "depth": 1, "channels": 1, "image_size": 14}
    run = finetuned("resnet20", tmp_path / "run", requested, method="scratch")
    block = zoo.describe(run)
    assert block.arguments["widths"] == [4, 4, 8] and block.arguments["num_classes"] == 10
    assert block.preprocessing is not None and block.preprocessing.image_size == (14, 14)
    assert zoo.reproduce(run, out=tmp_path / "again").identical


def test_other_methods_need_weights(tmp_path: Path) -> None:
    with pytest.raises(zoo.NotFoundError, match="'resnet20', which is a model"):
        finetuned("resnet20", tmp_path / "run", {}, method="full")


def test_what_lies_here_under_a_models_name_is_meant(weights: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    weights.rename(tmp_path / "resnet20")
    assert zoo.describe(finetuned("resnet20", tmp_path / "run", {}, method="scratch")).arguments["depth"] == 1
