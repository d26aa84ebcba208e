"""What LoRA has learnt, pushed alone: a small repo that names its base by repo and commit, and loads in one call."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.hub.server.serving import ServedHub
from zoo.registry.registry import default_registry
from zoo.weights.folder import save_weights

pytestmark = pytest.mark.skipif(
    "conv_autoencoder" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a backbone: pip install -e plugins/autoencoder",
)
SETTINGS: dict[str, Any] = {"steps": 4, "minimum_steps": 0, "batch_size": 16, "lora_rank": 2, "learning_rate": 0.1}


@pytest.fixture
def base(tmp_path: Path, served_hub: ServedHub) -> str:
    """Push weights to begin from, and return their address."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        arguments = {"widths": [64, 128], "code_size": 8}
        inputs = zoo.Preprocessing(image_size=(28, 28), channels=1)
        model = zoo.create("conv_autoencoder", **arguments)
        save_weights(tmp_path / "base", model, model_name="conv_autoencoder", arguments=arguments, inputs=inputs)
    zoo.push(tmp_path / "base", "me/base", hub=served_hub.url, private=False, license="mit")
    return "hf://me/base"


def finetuned(weights: str | Path, out: Path, hub: str, **changes: Any) -> Path:
    zoo.finetune(
        weights,
        task="image-classification",
        data="fashion_mnist_sample",
        out=out,
        labels=100,
        method="lora",
        settings={**SETTINGS, **changes},
        hub=hub,
    )
    return out


def test_an_adapter_pushed_alone_loads_with_its_base_in_one_call(
    base: str, tmp_path: Path, served_hub: ServedHub
) -> None:
    run = finetuned(base, tmp_path / "run", served_hub.url)
    pushed = zoo.push(run, "me/adapter", hub=served_hub.url, private=False, adapter=True)
    whole, alone = ((run / name / "model.safetensors").stat().st_size for name in ("weights", "adapter"))
    assert alone < whole / 4
    config = json.loads((run / "adapter" / "config.json").read_text())["zoo"]
    assert config["adapter"]["base"]["repo"] == "me/base" and len(config["adapter"]["base"]["commit"]) == 40
    loaded = zoo.load("hf://me/adapter", revision=pushed.commit, hub=served_hub.url)
    merged = zoo.load(run)
    theirs = merged.state_dict()
    assert loaded.state_dict().keys() == theirs.keys()
    assert all(torch.allclose(tensor, theirs[name], atol=1e-6) for name, tensor in loaded.state_dict().items())
    alone, first = (model.state_dict() for model in (zoo.load(run / "adapter", adapter=None), zoo.load(base)))
    assert alone.keys() == first.keys() and all(torch.equal(tensor, first[name]) for name, tensor in alone.items())
    assert zoo.load(run / "adapter", dtype="bfloat16").state_dict()["head.weight"].dtype == torch.bfloat16
    assert zoo.verify(run / "adapter").selftest is not None


def test_an_adapter_to_weights_of_a_folder_cannot_be_pushed_alone(
    base: str, tmp_path: Path, served_hub: ServedHub
) -> None:
    run = finetuned(tmp_path / "base", tmp_path / "run", served_hub.url, steps=1)
    with pytest.raises(UsageError, match="holds no adapter"):
        zoo.push(run, "me/adapter", hub=served_hub.url, private=False, adapter=True)


def test_an_adapter_is_no_base_of_another_one(base: str, tmp_path: Path, served_hub: ServedHub) -> None:
    run = finetuned(base, tmp_path / "run", served_hub.url, steps=1)
    zoo.push(run, "me/adapter", hub=served_hub.url, private=False, adapter=True)
    onwards = finetuned("hf://me/adapter", tmp_path / "onwards", served_hub.url, steps=1)
    assert not (onwards / "adapter").exists()
    assert zoo.load(onwards).state_dict().keys() == zoo.load(run).state_dict().keys()


def test_an_adapter_whose_base_is_gone_or_another_says_so(base: str, tmp_path: Path, served_hub: ServedHub) -> None:
    run = finetuned(base, tmp_path / "run", served_hub.url, steps=1)
    path = run / "adapter" / "config.json"
    config = json.loads(path.read_text())
    wrong = {**config["zoo"]["arguments"], "code_size": 9}
    path.write_text(json.dumps({"zoo": {**config["zoo"], "arguments": wrong}}))
    with pytest.raises(IntegrityError, match="other arguments than its base"):
        zoo.load(run / "adapter", hub=served_hub.url)
    gone = {**config["zoo"]["adapter"], "base": {"repo": "me/gone", "commit": "0" * 40}}
    path.write_text(json.dumps({"zoo": {**config["zoo"], "adapter": gone}}))
    with pytest.raises(NotFoundError, match="me/gone"):
        zoo.load(run / "adapter", hub=served_hub.url)
