"""A config.json with any key left out, or changed, gives transformers' logits, or is refused by the name of the key."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import zoo
from tests.interop.test_text import BERT, DISTILBERT, GPT2, HEADS, LLAMA, MARIAN, ROBERTA, T5
from zoo.registry.registry import default_registry
from zoo.weights.build import load_layouts

transformers = pytest.importorskip("transformers", reason="needs transformers: make test-interop")

VIT = {**BERT, "image_size": 32, "patch_size": 8}
NETS = {"resnet": "ResNetForImageClassification", "convnext": "ConvNextForImageClassification"}
BASES: dict[str, dict[str, Any]] = {
    "bert": BERT,
    "roberta": ROBERTA,
    "distilbert": DISTILBERT,
    "gpt2": {**GPT2, "eos_token_id": 89, "pad_token_id": 0},
    "llama": {**LLAMA, "pad_token_id": 0, "num_hidden_layers": 2},
    "t5": {**T5, "decoder_start_token_id": 0},
    "marian": MARIAN,
    "vit": VIT,
    "resnet": {"depths": [2, 2, 2, 2], "hidden_sizes": [64, 128, 256, 512], "layer_type": "basic"},
    "convnext": {"depths": [2, 2, 6, 2], "hidden_sizes": [40, 80, 160, 320]},
}
CONFIGS = {
    "bert": "BertConfig",
    "roberta": "RobertaConfig",
    "distilbert": "DistilBertConfig",
    "gpt2": "GPT2Config",
    "llama": "LlamaConfig",
    "t5": "T5Config",
    "marian": "MarianConfig",
    "vit": "ViTConfig",
    "resnet": "ResNetConfig",
    "convnext": "ConvNextConfig",
}
ALL_HEADS = {**HEADS, "vit": "ViTForImageClassification", **NETS}
OF_NO_MODEL = {"transformers_version", "_name_or_path", "label2id", "is_encoder_decoder"}
"""Keys that say nothing of a model, or that only the library's own bookkeeping may change."""
CHANGED: dict[str, Any] = {
    "architectures": ["NoSuchModel"],
    "hidden_act": "relu",
    "activation_function": "relu",
    "feed_forward_proj": "gated-silu",
    "layer_type": "bottleneck",
    "problem_type": "single_label_classification",
    "dtype": "bfloat16",
    "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 10_000.0},
    "hidden_size": 48,
    "d_model": 48,
    "n_embd": 48,
    "dim": 48,
    "n_heads": 2,
    "activation": "relu",
    "num_attention_heads": 2,
    "n_head": 2,
    "num_heads": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 4,
    "num_key_value_heads": 1,
    "head_dim": 12,
    "image_size": 48,
    "patch_size": 16,
    "depths": [3, 4, 6, 3],
    "hidden_sizes": [48, 96, 192, 384],
    "embedding_size": 32,
    "num_stages": 3,
    "stage_names": ["stem", "stage1", "stage2", "stage3", "last"],
    "out_features": ["stage3"],
    "out_indices": [3],
    "id2label": {"0": "yes", "1": "no", "2": "maybe"},
    "model_type": "mamba",
    "num_channels": 1,
    "pooler_output_size": 24,
    "summary_type": "mean",
    "summary_activation": "tanh",
    "pooler_act": "relu",
    "chunk_size_feed_forward": 3,
    "relative_attention_num_buckets": 16,
    "relative_attention_max_distance": 64,
    "scale_decoder_outputs": False,
    "is_gated_act": True,
    "dense_act_fn": "gelu",
}
OLDER: dict[str, list[tuple[str, Any]]] = {
    "llama": [
        ("rope_theta", 5e5),
        ("rope_scaling", {"type": "linear", "factor": 2.0}),
        ("rope_scaling", {"rope_type": "dynamic", "factor": 2.0}),
        ("rope_scaling", None),
        ("rope_parameters", {"type": "linear", "factor": 2.0}),
        ("rope_parameters", {"rope_type": "default"}),
        ("rope_parameters", {"rope_theta": 500.0}),
        ("rope_parameters", None),
        ("num_key_value_heads", None),
        ("head_dim", None),
        ("tie_word_embeddings", True),
        ("torch_dtype", "float16"),
    ],
    "gpt2": [("n_inner", 40), ("hidden_size", 48), ("num_attention_heads", 2), ("num_hidden_layers", 1)],
    "t5": [
        ("feed_forward_proj", "gated-gelu"),
        ("feed_forward_proj", "gelu"),
        ("num_decoder_layers", None),
        ("hidden_size", 48),
        ("num_attention_heads", 2),
        ("num_hidden_layers", 1),
        ("head_dim", 4),
        ("tie_word_embeddings", False),
    ],
    "marian": [
        ("activation_function", "gelu_new"),
        ("activation_function", "silu"),
        ("num_attention_heads", 2),
        ("hidden_size", 48),
        ("num_hidden_layers", 1),
        ("scale_embedding", True),
    ],
    "bert": [("hidden_act", "gelu_new"), ("torch_dtype", "bfloat16")],
    "roberta": [("pad_token_id", 0), ("type_vocab_size", 3)],
    "distilbert": [("hidden_size", 48), ("num_attention_heads", 2), ("num_hidden_layers", 1)],
    "vit": [("image_size", [32, 48]), ("qkv_bias", False)],
    "resnet": [("layer_type", "basic")],
    "convnext": [("num_hidden_layers", 3)],
}


def layouts_of(kind: str) -> list[Any]:
    """Return the layouts that read a model type."""
    layouts = [layout for offer in default_registry().models() for layout in load_layouts(offer)]
    alike = [
        layout for layout in layouts if layout.library == "transformers" and layout.config.get("model_type") == kind
    ]
    return list({id(layout): layout for layout in alike}.values())


def whole(kind: str) -> dict[str, Any]:
    """Return the config.json that the library writes of a small model."""
    found = getattr(transformers, CONFIGS[kind])(**BASES[kind])
    written: dict[str, Any] = json.loads(found.to_json_string(use_diff=False))
    return {**written, "architectures": [ALL_HEADS[kind]], "model_type": kind}


def other(key: str, value: Any) -> Any:
    """Return another value of a key."""
    if key in CHANGED:
        return CHANGED[key]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1 if value else 1
    if isinstance(value, float):
        return value * 50 if 0 < value < 1e-3 else 0.25
    return 3 if value is None else None


def cases() -> Iterator[Any]:
    for kind in CONFIGS:
        given, read = whole(kind), set().union(*(layout.defaults for layout in layouts_of(kind)))
        shared = set(transformers.PreTrainedConfig().to_dict()) - {"dtype", "architectures"}
        for key in given.keys() - OF_NO_MODEL - (set() if kind == "bert" else shared - read):
            yield pytest.param(kind, key, ..., False, id=f"{kind}-without-{key}")
            if key in read:
                yield pytest.param(kind, key, ..., True, id=f"{kind}-of-a-file-without-{key}")
            yield pytest.param(kind, key, other(key, given[key]), False, id=f"{kind}-other-{key}")
        for key, value in OLDER[kind]:
            yield pytest.param(kind, key, value, False, id=f"{kind}-{key}-{value}")


def built(kind: str, folder: Path, randomised: Any) -> None:
    """Write the weights of the model that config.json describes to the library."""
    torch.manual_seed(0)
    config = getattr(transformers, CONFIGS[kind]).from_pretrained(folder)
    randomised(getattr(transformers, ALL_HEADS[kind])(config).to(torch.float32)).save_pretrained(folder / "made")
    (folder / "made" / "model.safetensors").rename(folder / "model.safetensors")


def opened(kind: str, folder: Path) -> Any:
    """Return what the library makes of a folder; None where it makes nothing, or draws weights at random."""
    try:
        model, info = getattr(transformers, ALL_HEADS[kind]).from_pretrained(folder, output_loading_info=True)
    except Exception:  # the library raises all kinds
        return None
    return None if info["missing_keys"] else model.eval()


def logits(kind: str, ours: Any, theirs: Any) -> tuple[Tensor, Tensor]:
    """Return what both make of the same inputs."""
    theirs.config.return_dict = True  # it would give tuples, of the same numbers
    ids = torch.randint(3, 88, (2, 9), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        if kind in ("t5", "marian"):
            made = theirs(ids, decoder_input_ids=ids.flip(0), return_dict=True).logits
            return ours.lm_logits(ours.decode(ids.flip(0), ours.forward_features(ids))), made
        if kind in HEADS:
            return ours.lm_logits(ours.forward_features(ids)), theirs(ids, return_dict=True).logits
        like = next(theirs.parameters())
        sides = ours.patch_size * ours.grid[0] if kind == "vit" else 64
        images = torch.randn(2, theirs.config.num_channels, sides, sides, generator=torch.Generator().manual_seed(0))
        if kind == "vit":
            images = torch.randn(2, theirs.config.num_channels, *(ours.patch_size * side for side in ours.grid))
        images = images.to(like.dtype)
        return ours(images), theirs(images, return_dict=True).logits


@pytest.mark.parametrize(("kind", "key", "value", "kept"), sorted(cases(), key=lambda item: str(item.id)))
def test_139_every_key(kind: str, key: str, value: Any, kept: bool, tmp_path: Path, randomised: Any) -> None:
    """`kept` weights are those of the whole config.json, others those of the one without the key, or with another."""
    given = whole(kind)
    edited = {name: item for name, item in given.items() if name != key}
    if key == "feed_forward_proj":  # what repeats it would contradict it
        edited = {name: item for name, item in edited.items() if name not in ("dense_act_fn", "is_gated_act")}
    edited |= {} if value is ... else {key: value}
    (tmp_path / "config.json").write_text(json.dumps(given if kept else edited))
    theirs = None
    try:
        built(kind, tmp_path, randomised)
    except Exception:  # what the library cannot build is nothing to compare with
        save_file({}, tmp_path / "model.safetensors")
    else:
        (tmp_path / "config.json").write_text(json.dumps(edited))
        theirs = opened(kind, tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(edited))
    try:
        ours: Any = zoo.load(tmp_path)
    except zoo.ZooError as error:
        named = {key, {"model_type": "mamba", "scale_decoder_outputs": "lm_head"}.get(key, key)}
        assert theirs is None or any(name in str(error) for name in named), f"{error} does not name {key}"
        return
    if theirs is None and kept:  # the tensors told what config.json does not
        (tmp_path / "config.json").write_text(json.dumps(given))
        theirs = opened(kind, tmp_path)
    assert theirs is not None, "transformers refuses it"
    mine, made = logits(kind, ours, theirs)
    assert mine.dtype == made.dtype
    error = float((mine - made).float().abs().max() / made.float().abs().max())
    assert error < (1e-4 if made.dtype == torch.float32 else 5e-2), f"off by {error:.1e}"
    if kind in ("t5", "marian"):
        start = theirs.generation_config.decoder_start_token_id
        assert start is None or ours.start_token == start


@pytest.mark.parametrize("kind", CONFIGS)
def test_139_the_tables_are_the_librarys(kind: str) -> None:
    written = getattr(transformers, CONFIGS[kind])().to_dict()
    written |= written.get("rope_parameters") or {}
    layouts = layouts_of(kind)
    assert layouts
    for layout in layouts:
        filled = {key for key in layout.same if layout.defaults[key] is None and written[key] is not None}
        table = {key: written[layout.same[key]] if key in filled else value for key, value in layout.defaults.items()}
        derived = {"head_dim", "n_positions", "decoder_start_token_id"}  # by other keys, or by no field of the class
        assert {key: written[key] for key in table if key not in derived} == {
            key: value for key, value in table.items() if key not in derived
        }
        read = {*layout.options.values(), *layout.config, *next(iter(layout.models.values()))} - {"model_type"}
        assert not (read & written.keys()) - layout.defaults.keys(), "every key that is read has its default"
        assert layout.aliases == {
            theirs: ours for theirs, ours in getattr(transformers, CONFIGS[kind]).attribute_map.items()
        }
