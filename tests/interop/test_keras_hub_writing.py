"""What Zoo writes for KerasHub opens there with equal outputs, and comes back: `make test-keras`."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zoo
from zoo.weights.folder import save_weights
from zoo.weights.tokenizer import TextInputs, Tokenizer, read_tokenizer

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="needs Keras 3: make test-keras")
keras_hub = pytest.importorskip("keras_hub", reason="needs KerasHub and tensorflow-text: make test-keras")

from tests.interop.test_keras_hub import MERGED, WORDS, byte_level  # noqa: E402 (skipped without Keras, as this is)

TEXT = {"vocab_size": 300, "context": 24, "width": 16, "depth": 2, "num_heads": 4, "mlp_width": 40}
VIT = {"width": 24, "depth": 2, "num_heads": 3, "mlp_width": 40, "image_size": [32, 40], "patch_size": 8}
# our model, its arguments, KerasHub's name of it
MODELS: list[tuple[str, dict[str, Any], str]] = [
    ("bert", {"approximate_gelu": True}, "Bert"),
    ("bert", {"approximate_gelu": True, "pooler": True, "num_classes": 3}, "Bert"),
    ("roberta", {}, "Roberta"),
    ("roberta", {"num_classes": 3, "num_segments": 0, "position_offset": 0}, "Roberta"),
    ("distilbert", {}, "DistilBert"),
    ("distilbert", {"num_classes": 3}, "DistilBert"),
    ("gpt2", {}, "GPT2"),
]


def words(name: str, folder: Path) -> Tokenizer:
    """Return a tokenizer such as KerasHub has for a model: made by way of its own files."""
    from zoo_keras.tokenizer import ASSETS, tokenizer_files

    (folder / ASSETS).mkdir(parents=True)
    kind, special = f"{name}Tokenizer", {"Roberta": ["<s>", "<pad>", "</s>", "<mask>"], "GPT2": ["<|endoftext|>"]}
    if name in special:
        (folder / ASSETS / "vocabulary.json").write_text(json.dumps(byte_level(special[name])))
        (folder / ASSETS / "merges.txt").write_text("\n".join(MERGED))
    else:
        (folder / ASSETS / "vocabulary.txt").write_text("\n".join(WORDS))
    (folder / "tokenizer.json").write_text(json.dumps({"class_name": kind, "config": {"lowercase": True}}))
    return Tokenizer.of(tokenizer_files(folder)["tokenizer.json"], "made")


def written(name: str, arguments: Any, theirs: str, tmp_path: Path, randomised: Any) -> Any:
    """Save a model of ours with a tokenizer; return it."""
    arguments = {**TEXT, **arguments}
    torch.manual_seed(0)
    model = randomised(zoo.create(name, **arguments))
    inputs = TextInputs(words(theirs, tmp_path / "words"), 24)
    labels = tuple("abc"[: arguments.get("num_classes", 0)])
    save_weights(tmp_path / "ours", model, model_name=name, arguments=arguments, inputs=inputs, labels=labels)
    return model


def given(theirs: str, ids: Any, places: Any) -> dict[str, Any]:
    found = {"token_ids": ids, "padding_mask": np.ones_like(ids)}
    found |= {"segment_ids": np.zeros_like(ids)} if theirs == "Bert" else {}
    return found | ({} if places is None else {"mask_positions": places})


@pytest.mark.parametrize(("name", "arguments", "theirs"), MODELS)
def test_a_model_of_texts_opens(name: str, arguments: Any, theirs: str, tmp_path: Path, randomised: Any) -> None:
    model = written(name, arguments, theirs, tmp_path, randomised)
    zoo.export(tmp_path / "ours", to="keras", out=tmp_path / "preset", preset=True)
    zoo.export(tmp_path / "ours", to="keras", out=tmp_path / "ours.keras")
    task = "TextClassifier" if arguments.get("num_classes") else "CausalLM" if theirs == "GPT2" else "MaskedLM"
    kind = getattr(keras_hub.models, theirs + task)
    ids = np.random.default_rng(1).integers(0, 300, (2, 9))
    places = np.array([[1, 4], [0, 8]]) if task == "MaskedLM" else None
    with torch.no_grad():
        features = model.forward_features(torch.from_numpy(ids))
        if task == "TextClassifier":
            wanted = model(torch.from_numpy(ids))
        else:
            wanted = model.lm_logits(features)
            wanted = wanted if places is None else torch.take_along_dim(wanted, torch.from_numpy(places)[..., None], 1)
    scale = max(1.0, float(wanted.abs().max()))
    opened = kind.from_preset(str(tmp_path / "preset"))
    tokenizer, opened.preprocessor = opened.preprocessor.tokenizer, None  # these inputs are tokens
    for found in (opened, keras.saving.load_model(tmp_path / "ours.keras")):
        assert type(found) is kind
        np.testing.assert_allclose(
            found.predict(given(theirs, ids, places), verbose=0), wanted.numpy(), atol=1e-4 * scale
        )
    ours = zoo.read_text_inputs(tmp_path / "ours", zoo.describe(tmp_path / "ours")).tokenizer
    text = "the quick fox."
    inner = ours.encode([text], special=False)[0].ids
    assert list(np.asarray(tokenizer(text))) == inner
    for back in (tmp_path / "preset", tmp_path / "ours.keras"):
        again: Any = zoo.load(back)
        with torch.no_grad():
            torch.testing.assert_close(
                again.forward_features(torch.from_numpy(ids)), features, atol=1e-5 * scale, rtol=1e-4
            )
        assert zoo.describe(back).labels == zoo.describe(tmp_path / "ours").labels
    assert read_tokenizer(tmp_path / "preset" / "model.weights.h5").encode([text])[0].ids == ours.encode([text])[0].ids


@pytest.mark.parametrize("num_classes", [0, 3])
def test_a_vit_opens(num_classes: int, tmp_path: Path, randomised: Any) -> None:
    arguments = {**VIT, "num_classes": num_classes}
    model = randomised(zoo.create("vit", **arguments))
    inputs = zoo.Preprocessing(image_size=(32, 40), channels=3, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.2))
    labels = tuple("abc"[:num_classes])
    save_weights(tmp_path / "ours", model, model_name="vit", arguments=arguments, inputs=inputs, labels=labels)
    zoo.export(tmp_path / "ours", to="keras", out=tmp_path / "preset", preset=True)
    zoo.export(tmp_path / "ours", to="keras", out=tmp_path / "ours.keras")
    kind = getattr(keras_hub.models, "ViTImageClassifier" if num_classes else "ViTBackbone")
    images = np.random.default_rng(1).uniform(0, 1, (2, 32, 40, 3)).astype(np.float32)
    mean, std = (np.array(values, np.float32) for values in (inputs.mean, inputs.std))
    prepared = (images - mean) / std
    with torch.no_grad():
        ours = torch.from_numpy(prepared).permute(0, 3, 1, 2)
        wanted = (model(ours) if num_classes else model.forward_features(ours)).numpy()
    for found in (kind.from_preset(str(tmp_path / "preset")), keras.saving.load_model(tmp_path / "ours.keras")):
        assert type(found) is kind
        made = found.backbone if num_classes else found
        np.testing.assert_allclose(made.predict(prepared, verbose=0)[:, 0], _tokens(model, ours)[:, 0], atol=1e-4)
        if num_classes:
            # a classifier that has a preprocessor takes bytes
            fed = images * 255 if found.preprocessor is not None else prepared
            np.testing.assert_allclose(found.predict(fed, verbose=0), wanted, atol=1e-4 * max(1, np.abs(wanted).max()))
    known = zoo.describe(tmp_path / "preset")
    np.testing.assert_allclose(known.preprocessing.mean, inputs.mean, atol=1e-6)
    np.testing.assert_allclose(known.preprocessing.std, inputs.std, atol=1e-6)
    assert known.labels == labels
    for back in (tmp_path / "preset", tmp_path / "ours.keras"):
        state = zoo.load(back).state_dict()
        assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


def _tokens(model: Any, images: torch.Tensor) -> Any:
    with torch.no_grad():
        return model.forward_features(images).numpy()


def test_another_gelu_is_refused(tmp_path: Path, randomised: Any) -> None:
    written("bert", {}, "Bert", tmp_path, randomised)
    with pytest.raises(zoo.UsageError, match="BertBackbone has approximate_gelu=True, these weights have False"):
        zoo.export(tmp_path / "ours", to="keras", out=tmp_path / "preset", preset=True)
    assert not (tmp_path / "preset").exists()
