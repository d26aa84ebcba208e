"""Weights of text on a Hub: their tokenizer goes with them, there and back, and into other libraries' layout."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo.errors import IntegrityError, NotFoundError
from zoo.hub.server.serving import ServedHub
from zoo.registry.registry import default_registry
from zoo.weights.folder import save_weights
from zoo.weights.tokenizer_training import make_tokenizer

pytestmark = pytest.mark.skipif(
    "gpt2" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a text backbone: pip install -e plugins/transformer",
)
BYTES = make_tokenizer("bytes", [])
SMALL: dict[str, Any] = {"vocab_size": 261, "context": 32, "width": 16, "depth": 1, "num_heads": 2, "mlp_width": 64}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = zoo.create("gpt2", **SMALL)
    folder = tmp_path / "weights"
    save_weights(folder, model, model_name="gpt2", arguments=SMALL, inputs=zoo.TextInputs(BYTES, 32))
    return folder


def test_a_tokenizer_goes_to_the_hub_and_back(weights: Path, served_hub: ServedHub) -> None:
    zoo.push(weights, "me/words", hub=served_hub.url, private=False, license="mit")
    model: Any = zoo.load("hf://me/words", hub=served_hub.url)
    assert model.generate("to be", max_new_tokens=6) == zoo.load(weights).generate("to be", max_new_tokens=6)  # type: ignore[attr-defined]


def test_a_name_of_the_catalogue_brings_its_tokenizer(weights: Path, served_hub: ServedHub, tmp_path: Path) -> None:
    pushed = zoo.push(weights, "me/words", hub=served_hub.url, private=False, license="mit")
    files = {
        name: {"sha256": file.sha256, "size": file.size}
        for file in pushed.files
        if (name := file.name) in ("model.safetensors", "config.json")
    }
    entry = {
        "repo": "me/words",
        "revision": pushed.commit,
        "files": files,
        "plugin": "zoo-transformer",
        "task": "text-generation",
        "license": "mit",
    }
    registry = tmp_path / "registry.json"
    registry.write_text(json.dumps({"schema_version": 1, "weights": {"gpt2.words": entry}}))
    model: Any = zoo.load("gpt2.words", hub=served_hub.url, registry=registry)
    assert model.generate("to be", max_new_tokens=6) == zoo.load(weights).generate("to be", max_new_tokens=6)  # type: ignore[attr-defined]


def test_another_library_gets_the_tokenizer_too(weights: Path, tmp_path: Path) -> None:
    zoo.export(weights, to="transformers", out=tmp_path / "theirs")
    roles = json.loads((tmp_path / "theirs" / "tokenizer_config.json").read_text())
    assert roles["eos_token"] == "</s>" and (tmp_path / "theirs" / "tokenizer.json").read_text() == BYTES.json
    block = zoo.describe(tmp_path / "theirs")
    assert block.tokenization is not None and block.tokenization.tokenizer == BYTES.identity


def test_another_tokenizer_beside_weights_is_refused(weights: Path, served_hub: ServedHub) -> None:
    make_tokenizer("characters", ["abc"]).write(weights)
    with pytest.raises(IntegrityError, match="get a fresh copy"):
        zoo.push(weights, "me/words", hub=served_hub.url, private=False, license="mit")


def test_weights_without_their_tokenizer_are_refused(weights: Path, served_hub: ServedHub) -> None:
    (weights / "tokenizer.json").unlink()
    with pytest.raises(NotFoundError, match="no tokenizer.json"):
        zoo.push(weights, "me/words", hub=served_hub.url, private=False, license="mit")
