"""Presets that are written are read again; `make test-keras` opens them in KerasHub."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from zoo_keras.tokenizer import ASSETS, tokenizer_files

import zoo
from zoo.weights.folder import save_weights
from zoo.weights.tokenizer import TextInputs, read_tokenizer
from zoo.weights.tokenizer_training import make_tokenizer

TEXT = {"vocab_size": 300, "context": 12, "width": 16, "depth": 2, "num_heads": 4, "mlp_width": 24}
VIT = {
    "width": 24,
    "depth": 2,
    "num_heads": 3,
    "mlp_width": 40,
    "image_size": [16, 24],
    "patch_size": 8,
    "num_classes": 2,
}
IDS = torch.tensor([[1, 5, 7], [3, 2, 9]])


def written(folder: Path, name: str, arguments: dict[str, Any], inputs: Any = None, labels: Any = ()) -> Any:
    torch.manual_seed(0)
    model = zoo.create(name, **arguments).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    save_weights(folder / "ours", model, model_name=name, arguments=arguments, inputs=inputs, labels=labels)
    return model


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("bert", {"approximate_gelu": True}),
        ("bert", {"approximate_gelu": True, "num_classes": 2}),
        ("roberta", {}),
        ("distilbert", {"num_classes": 2}),
        ("gpt2", {}),
    ],
)
def test_texts_go_there_and_come_back(name: str, more: dict[str, Any], tmp_path: Path) -> None:
    model = written(tmp_path, name, {**TEXT, **more}, labels=("ant", "bee")[: more.get("num_classes", 0)])
    preset = zoo.export(tmp_path / "ours", to="keras", out=tmp_path / "preset", preset=True)
    for out in (preset, zoo.export(tmp_path / "ours", to="keras", out=tmp_path / "a.keras")):
        again, known = zoo.load(out), zoo.describe(out)
        assert known.labels == zoo.describe(tmp_path / "ours").labels
        with torch.no_grad():
            torch.testing.assert_close(again(IDS), model(IDS))
            if not more.get("num_classes"):
                mine, theirs = (net.lm_logits(net.forward_features(IDS)) for net in (model, again))
                torch.testing.assert_close(mine, theirs)


def test_pictures_go_there_and_come_back(tmp_path: Path) -> None:
    inputs = zoo.Preprocessing(image_size=(16, 24), channels=3, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.2))
    model = written(tmp_path, "vit", VIT, inputs, ("ant", "bee"))
    preset = zoo.export(tmp_path / "ours", to="keras", out=tmp_path / "preset", preset=True)
    assert {path.name for path in preset.iterdir()} == {
        *("config.json", "metadata.json", "model.weights.h5", "task.json", "task.weights.h5"),
        *("preprocessor.json", "image_converter.json"),
    }
    known, state = zoo.describe(preset), zoo.load(preset).state_dict()
    assert known.labels == ("ant", "bee")
    assert known.preprocessing.mean == pytest.approx(inputs.mean)
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


def test_a_tokenizer_of_another_kind_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    inputs = TextInputs(make_tokenizer("bytes", ()), 12)
    written(tmp_path, "distilbert", {**TEXT, "vocab_size": inputs.tokenizer.num_tokens}, inputs)
    preset = zoo.export(tmp_path / "ours", to="keras", out=tmp_path / "preset", preset=True)
    assert "DistilBertTokenizer is no tokenizer like that" in caplog.text
    assert json.loads((preset / "task.json").read_bytes())["config"]["preprocessor"] is None


def test_a_byte_level_tokenizer_goes_there_and_comes_back(tmp_path: Path) -> None:
    (tmp_path / "words" / ASSETS).mkdir(parents=True)
    pieces = ["<s>", "<pad>", "</s>", "<mask>", "a", "f", "o", "x", "Ġ", "ox", "fox", "Ġfox"]
    vocabulary = json.dumps({token: place for place, token in enumerate(pieces)})
    (tmp_path / "words" / ASSETS / "vocabulary.json").write_text(vocabulary)
    (tmp_path / "words" / ASSETS / "merges.txt").write_text("o x\nf ox\nĠ fox", encoding="utf-8")
    (tmp_path / "words" / "tokenizer.json").write_text('{"class_name": "RobertaTokenizer", "config": {}}')
    inner = zoo.Tokenizer.of(tokenizer_files(tmp_path / "words")["tokenizer.json"], "made")
    written(tmp_path, "roberta", TEXT, TextInputs(inner, 12))
    preset = zoo.export(tmp_path / "ours", to="keras", out=tmp_path / "preset", preset=True)
    assert json.loads((preset / ASSETS / "vocabulary.json").read_bytes()) == json.loads(vocabulary)
    again = read_tokenizer(preset / "model.weights.h5")
    assert again.encode(["a fox"])[0].ids == inner.encode(["a fox"])[0].ids == [0, 4, 11, 2]
    assert json.loads((preset / "preprocessor.json").read_bytes())["config"]["sequence_length"] == 12


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("bert", TEXT, "KerasHub's BertBackbone has approximate_gelu=True, these weights have False"),
        ("roberta", {**TEXT, "num_segments": 2}, "has no segments, these weights have 2"),
        ("roberta", {**TEXT, "norm_eps": 1e-3}, "has norm_eps=1e-05, these weights have 0.001"),
        ("gpt2", {**TEXT, "num_classes": 2}, "KerasHub has no GPT2 for"),
        ("vit", {**VIT, "pool": "avg"}, "has pool='token', these weights have 'avg'"),
        ("resnet20", {"widths": [4, 4, 4]}, "no preset of KerasHub here for resnet20"),
    ],
)
def test_what_kerashub_has_otherwise_is_refused(name: str, arguments: Any, why: str, tmp_path: Path) -> None:
    written(tmp_path, name, arguments)
    with pytest.raises(zoo.UsageError, match=why):
        zoo.export(tmp_path / "ours", to="keras", out=tmp_path / "preset", preset=True)
    assert not (tmp_path / "preset").exists()


def test_presets_are_asked_for_of_what_has_them(tmp_path: Path) -> None:
    from zoo.cli import run

    written(tmp_path, "gpt2", TEXT)
    with pytest.raises(zoo.UsageError, match="--to transformers has no presets; leave out --preset"):
        zoo.export(tmp_path / "ours", to="transformers", out=tmp_path / "a", preset=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(zoo.UsageError, match="is a file, and --to keras --preset writes a folder"):
        zoo.export(tmp_path / "ours", to="keras", out=tmp_path / "file", preset=True, force=True)
    command = ["export", str(tmp_path / "ours"), "--to", "keras", "--preset", "--out", str(tmp_path / "preset")]
    assert run(command) == 0
    assert (tmp_path / "preset" / "model.weights.h5").is_file()
