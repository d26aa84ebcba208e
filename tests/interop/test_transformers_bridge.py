"""The bridge to transformers: its text encoders by model_type give what its own do, and keep what backbones must.

Needs transformers: `make test-interop`.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import zoo
from zoo.registry.registry import default_registry
from zoo.testing import ModelTests, RecipeTests
from zoo.weights.config import read_config

transformers = pytest.importorskip("transformers", reason="needs transformers: make test-interop")
pytest.importorskip("zoo_transformers", reason="needs zoo-transformers: make test-interop")
if not any(offer.spec.name == "transformers" for offer in default_registry().families()):
    pytest.skip("needs zoo-transformers installed: benchmarks/peers.sh installs it", allow_module_level=True)

TYPES = zoo.list_models(family="transformers") + ["bert"]
SMALL: dict[str, Any] = {
    **{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 100},
    **{"max_position_embeddings": 66, "embedding_size": 32},
}
OWN: dict[str, dict[str, Any]] = {
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "vocab_size": 100},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8},
    "deberta": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
}


def config_of(model_type: str) -> dict[str, Any]:
    """Return a small configuration, with the keys that this kind has."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    if model_type == "distilbert":
        return {**OWN[model_type], "max_position_embeddings": 66}
    known = CONFIG_MAPPING[model_type]().to_dict()
    return {name: value for name, value in SMALL.items() if name in known} | OWN.get(model_type, {})


def tokens() -> Tensor:
    """Return two texts without a token that some kinds take for padding."""
    return torch.randint(5, 100, (2, 12), generator=torch.Generator().manual_seed(0))


def their_folder(model_type: str, folder: Path) -> Any:
    """Have transformers write a folder of a model with random weights, and return the model."""
    config = transformers.AutoConfig.for_model(model_type, **config_of(model_type))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = transformers.AutoModel.from_config(config)
    model.save_pretrained(folder)
    return model.eval()


def test_there_are_twelve() -> None:
    assert len(TYPES) >= 12


@pytest.mark.parametrize("model_type", TYPES)
def test_a_folder_of_transformers_gives_what_transformers_gives(model_type: str, tmp_path: Path) -> None:
    theirs, ids = their_folder(model_type, tmp_path), tokens()
    ours = zoo.load(tmp_path)
    if model_type != "bert":  # which zoo-transformer reads by a class of its own
        assert read_config(tmp_path).plugin == "zoo-transformers"
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0
    with torch.no_grad():
        expected = theirs(input_ids=ids, attention_mask=mask).last_hidden_state
        found = ours.forward_features(ids, mask)
    assert torch.allclose(found[mask == 1], expected[mask == 1], atol=1e-5)


class Conformance(ModelTests):
    """The suite of `zoo.testing` for one kind."""

    model_type: str
    __test__ = False

    def arguments(self) -> dict[str, Any]:
        return {"config": config_of(self.model_type)}

    def inputs(self) -> dict[str, Tensor]:
        return {"input_ids": tokens()}


for _type in TYPES:
    _name = f"Test_{_type.replace('-', '_')}"
    _members = {"model_type": _type, "name": f"transformers/{_type}", "__test__": True}
    globals()[_name] = type(_name, (Conformance,), _members)


class Learning(RecipeTests):
    """Steps of a recipe on one kind."""

    __test__ = False
    name = "text_classification"
    classes = ("ham", "spam")

    def __init__(self, model_type: str) -> None:
        self.model, self.model_type = f"transformers/{model_type}", model_type

    def arguments(self) -> dict[str, Any]:
        return {"config": config_of(self.model_type)}

    def batch(self) -> dict[str, Tensor]:
        ids = tokens()
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": torch.tensor([0, 1])}


@pytest.mark.parametrize("model_type", TYPES)
def test_two_steps_of_finetuning(model_type: str) -> None:
    learning = Learning(model_type)
    with torch.random.fork_rng(devices=[]):
        losses = learning.losses(learning.stepper(), 0, 2)
    assert all(torch.tensor(losses).isfinite()), losses


def write_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[PAD]", "[UNK]", *"a good bad film dog cat was very it the".split()]
    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.save(str(folder / "tokenizer.json"))


def test_code_that_a_config_names_is_never_run(tmp_path: Path) -> None:
    their_folder("electra", tmp_path)
    path = tmp_path / "config.json"
    marker = tmp_path / "ran"
    (tmp_path / "evil.py").write_text(f"open({str(marker)!r}, 'w')\nclass Config: pass\nclass Model: pass\n")
    said = json.loads(path.read_text()) | {"auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    path.write_text(json.dumps(said))
    with pytest.raises(zoo.IntegrityError, match="asks to run its own code"):
        zoo.load(tmp_path)
    model: Any = zoo.create("transformers/electra", config={**config_of("electra"), "auto_map": said["auto_map"]})
    assert model.num_features == 32 and not marker.exists()


def test_embed_finetune_and_predict_by_the_commands(tmp_path: Path, zoo_command: Any) -> None:
    folder = tmp_path / "theirs"
    their_folder("electra", folder)
    write_tokenizer(folder)
    embedded = zoo_command("embed", str(folder), "a good film", "--out", str(tmp_path / "v.safetensors"))
    assert embedded.returncode == 0, embedded.stderr
    data = tmp_path / "texts.csv"
    data.write_text("text,label\n" + "a good film,good\nthe bad dog,bad\n" * 8)
    task = ("--task", "text-classification", "--data", str(data), "--out", str(tmp_path / "run"))
    tuned = zoo_command("finetune", str(folder), *task, "--set", "steps=2", "--set", "batch_size=4")
    assert tuned.returncode == 0, tuned.stderr
    said = str(zoo.load(tmp_path / "run").predict(["a good film"]))
    assert "good" in said and "bad" in said


def test_what_is_exported_opens_in_transformers(tmp_path: Path) -> None:
    theirs, ids = their_folder("electra", tmp_path / "theirs"), tokens()
    out = zoo.export(tmp_path / "theirs", to="transformers", out=tmp_path / "ours")
    again = transformers.AutoModel.from_pretrained(out).eval()
    with torch.no_grad():
        expected = theirs(input_ids=ids).last_hidden_state
        assert torch.allclose(again(input_ids=ids).last_hidden_state, expected, atol=1e-6)
