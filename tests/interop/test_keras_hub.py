"""KerasHub's presets load with equal outputs: `make test-keras`."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zoo
from zoo.weights.tokenizer import read_tokenizer

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="needs Keras 3: make test-keras")
keras_hub = pytest.importorskip("keras_hub", reason="needs KerasHub and tensorflow-text: make test-keras")

TEXT = {"vocabulary_size": 50, "num_layers": 2, "hidden_dim": 16, "intermediate_dim": 40}
POSITIONS = {**TEXT, "num_heads": 4, "max_sequence_length": 32}
LLAMA = {**TEXT, "num_query_heads": 4, "num_key_value_heads": 2, "layer_norm_epsilon": 1e-5, "rope_max_wavelength": 500}
VIT = {"image_shape": (32, 40, 3), "patch_size": 8, "num_layers": 2, "num_heads": 3, "hidden_dim": 24, "mlp_dim": 40}


def randomized(model: Any) -> Any:
    random = np.random.default_rng(0)
    for weight in model.weights:
        if "seed" not in weight.path:
            fan = weight.shape[0] if len(weight.shape) > 1 else 100
            start = 1.0 if weight.path.endswith(("gamma", "scale")) else 0.0
            weight.assign((start + random.normal(0, fan**-0.5, weight.shape)).astype(np.float32))
    return model


def tokens() -> Any:
    return np.random.default_rng(1).integers(0, 50, (2, 9))


@pytest.mark.parametrize(
    "name", ["BertBackbone", "RobertaBackbone", "DistilBertBackbone", "GPT2Backbone", "LlamaBackbone"]
)
def test_a_text_backbone_loads(name: str, tmp_path: Path) -> None:
    theirs = randomized(getattr(keras_hub.models, name)(**(LLAMA if "Llama" in name else POSITIONS)))
    theirs.save_to_preset(str(tmp_path / "preset"))
    ids = tokens()
    inputs = {"token_ids": ids, "padding_mask": np.ones_like(ids)}
    if name == "BertBackbone":
        inputs["segment_ids"] = np.zeros_like(ids)
    wanted: Any = theirs.predict(inputs, verbose=0)
    wanted = wanted["sequence_output"] if isinstance(wanted, dict) else wanted
    ours = zoo.load(tmp_path / "preset")
    with torch.no_grad():
        found = ours.forward_features(torch.from_numpy(ids)).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_a_preset_in_shards_loads(tmp_path: Path) -> None:
    theirs = randomized(keras_hub.models.GPT2Backbone(**POSITIONS))
    theirs.save_to_preset(str(tmp_path / "preset"), max_shard_size=1e-5)
    assert len(list((tmp_path / "preset").glob("model_*.weights.h5"))) > 1
    ids = tokens()
    wanted: Any = theirs.predict({"token_ids": ids, "padding_mask": np.ones_like(ids)}, verbose=0)
    with torch.no_grad():
        found = zoo.load(tmp_path / "preset").forward_features(torch.from_numpy(ids)).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize(("kind", "backbone"), [("GPT2CausalLM", "GPT2Backbone"), ("Llama3CausalLM", "Llama3Backbone")])
def test_a_language_model_gives_the_same_logits(kind: str, backbone: str, tmp_path: Path) -> None:
    theirs = randomized(getattr(keras_hub.models, backbone)(**(LLAMA if "Llama" in kind else POSITIONS)))
    whole = getattr(keras_hub.models, kind)(backbone=theirs)
    whole.save_to_preset(str(tmp_path / "preset"))
    ids = tokens()
    wanted = whole.predict({"token_ids": ids, "padding_mask": np.ones_like(ids)}, verbose=0)
    ours = zoo.load(tmp_path / "preset")
    with torch.no_grad():
        found = ours.lm_logits(ours.forward_features(torch.from_numpy(ids))).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-4)


ENCODERS = ("Bert", "Roberta", "DistilBert")


def encoder(name: str, kind: str, **arguments: Any) -> Any:
    models = keras_hub.models
    backbone = getattr(models, f"{name}Backbone")(**POSITIONS)
    return randomized(getattr(models, name + kind)(backbone=backbone, **arguments))


@pytest.mark.parametrize("name", ENCODERS)
def test_a_classifier_of_texts_loads_with_its_head(name: str, tmp_path: Path) -> None:
    whole = encoder(name, "TextClassifier", num_classes=3)
    whole.save_to_preset(str(tmp_path / "preset"))
    ids = tokens()
    inputs = {"token_ids": ids, "padding_mask": np.ones_like(ids)}
    inputs |= {"segment_ids": np.zeros_like(ids)} if name == "Bert" else {}
    ours = zoo.load(tmp_path / "preset")
    with torch.no_grad():
        found = ours(torch.from_numpy(ids)).numpy()
    np.testing.assert_allclose(found, whole.predict(inputs, verbose=0), atol=1e-4)


WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "qu", "##ick", "fox", ".", "'", "s", "a", "##x", "##a"]
MERGED = ["Ġ q", "u i", "c k", "ui ck", "Ġq uick", "Ġ f", "o x", "Ġf ox", "t h", "th e"]
TEXTS = ["the quick fox.", "The fox's  quick\tox", "a quick, quick fox !\n\n  qué x", "foxa [MASK] the <mask> x"]


def byte_level(special: list[str]) -> dict[str, int]:
    from tokenizers.pre_tokenizers import ByteLevel

    tokens = [*special, *sorted(ByteLevel.alphabet()), *("".join(merge.split()) for merge in MERGED)]
    return {token: place for place, token in enumerate(tokens)}


def tokenizer(name: str) -> Any:
    models = keras_hub.models
    if name in ("Bert", "DistilBert"):
        return getattr(models, f"{name}Tokenizer")(vocabulary=WORDS, lowercase=True, special_tokens_in_strings=True)
    special = ["<s>", "<pad>", "</s>", "<mask>"] if name == "Roberta" else ["<|endoftext|>"]
    return getattr(models, f"{name}Tokenizer")(vocabulary=byte_level(special), merges=MERGED)


def preset_with_tokenizer(name: str, folder: Path, **more: Any) -> Any:
    """Save a model of texts with its tokenizer; return its preprocessor."""
    models, words = keras_hub.models, tokenizer(name)
    backbone = randomized(
        getattr(models, f"{name}Backbone")(**{**POSITIONS, "vocabulary_size": words.vocabulary_size()})
    )
    if name == "GPT2":
        preprocessor = models.GPT2CausalLMPreprocessor(tokenizer=words, sequence_length=24, **more)
        models.GPT2CausalLM(backbone=backbone, preprocessor=preprocessor).save_to_preset(str(folder))
        return preprocessor
    preprocessor = getattr(models, f"{name}TextClassifierPreprocessor")(tokenizer=words, sequence_length=24)
    kind = getattr(models, f"{name}TextClassifier")
    kind(backbone=backbone, num_classes=2, preprocessor=preprocessor).save_to_preset(str(folder))
    return preprocessor


@pytest.mark.parametrize("name", [*ENCODERS, "GPT2"])
def test_a_presets_tokenizer_gives_the_same_tokens(name: str, tmp_path: Path) -> None:
    more = {"add_end_token": False} if name == "GPT2" else {}
    preprocessor = preset_with_tokenizer(name, tmp_path / "preset", **more)
    tokens = read_tokenizer(tmp_path / "preset" / "model.weights.h5")
    for text in TEXTS:
        theirs = preprocessor.generate_preprocess(text) if name == "GPT2" else preprocessor(text)
        ids, mask = (np.asarray(theirs[key]).reshape(-1) for key in ("token_ids", "padding_mask"))
        assert tokens.encode([text])[0].ids == ids[mask.astype(bool)].tolist(), text
    if name != "GPT2":
        theirs, _ = preprocessor(((["the fox"], ["quick"]), [0]))  # a pair alone is taken for inputs and labels
        ids, mask = (np.asarray(theirs[key]).reshape(-1) for key in ("token_ids", "padding_mask"))
        assert tokens.encode(["the fox"], ["quick"])[0].ids == ids[mask.astype(bool)].tolist()
    assert zoo.describe(tmp_path / "preset").inputs is not None


@pytest.mark.parametrize("name", ENCODERS)
def test_a_guesser_of_words_loads_with_its_head(name: str, tmp_path: Path) -> None:
    whole = encoder(name, "MaskedLM")
    whole.save_to_preset(str(tmp_path / "preset"))
    ids = tokens()
    places = np.array([[1, 4], [0, 8]])
    inputs = {"token_ids": ids, "padding_mask": np.ones_like(ids), "mask_positions": places}
    inputs |= {"segment_ids": np.zeros_like(ids)} if name == "Bert" else {}
    ours = zoo.load(tmp_path / "preset")
    with torch.no_grad():
        logits = ours.lm_logits(ours.forward_features(torch.from_numpy(ids)))
    found = torch.take_along_dim(logits, torch.from_numpy(places)[..., None], 1).numpy()
    np.testing.assert_allclose(found, whole.predict(inputs, verbose=0), atol=1e-4)


def test_a_classifier_of_pictures_loads_with_its_head(tmp_path: Path) -> None:
    whole = randomized(keras_hub.models.ViTImageClassifier(backbone=keras_hub.models.ViTBackbone(**VIT), num_classes=3))
    whole.save_to_preset(str(tmp_path / "preset"))
    pictures = np.random.default_rng(1).normal(size=(2, *VIT["image_shape"])).astype(np.float32)
    ours, known = zoo.load(tmp_path / "preset"), zoo.describe(tmp_path / "preset")
    with torch.no_grad():
        found = ours(torch.from_numpy(pictures).permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(found, whole.predict(pictures, verbose=0), atol=1e-4)
    assert known.preprocessing.image_size == VIT["image_shape"][:2]
    alone = randomized(keras_hub.models.ViTBackbone(**VIT))
    alone.save_to_preset(str(tmp_path / "alone"))
    with torch.no_grad():
        found = zoo.load(tmp_path / "alone").forward_features(torch.from_numpy(pictures).permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(found, alone.predict(pictures, verbose=0), atol=1e-4)
