"""Every architecture is a good citizen; the classes are tested small, the names in their default form on meta."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import zoo
from plugins.transformer.tests.small import SMALL, SMALL_TEXT, drawn, images, tokens
from zoo.testing import ModelTests

NAMES = Path(__file__).parent / "names"


class TestViT(ModelTests):
    name = "vit_tiny_patch16_224"
    parameter_names = NAMES / "vit_tiny_patch16_224.txt"

    def arguments(self) -> dict[str, Any]:
        return {"width": 24, "depth": 3, "image_size": 32, "patch_size": 8, "num_classes": 5}

    def inputs(self) -> Tensor:
        return images(32)


class TestViTOnPicturesOfAnotherSize(TestViT):
    def inputs(self) -> Tensor:
        return torch.rand(2, 3, 21, 50, generator=drawn())


class TestViTOfPooledPatches(TestViT):
    name = "transformer/vit"
    parameter_names = NAMES / "vit.txt"

    def arguments(self) -> dict[str, Any]:
        sizes = {"width": 24, "depth": 3, "num_heads": 3, "image_size": 32, "patch_size": 8}
        return {**sizes, "pool": "avg", "class_token": False, "channels": 1, "num_classes": 5}

    def inputs(self) -> Tensor:
        return images(32, channels=1)


class TestBERT(ModelTests):
    name = "bert"
    parameter_names = NAMES / "bert.txt"

    def arguments(self) -> dict[str, Any]:
        return SMALL_TEXT

    def inputs(self) -> dict[str, Tensor]:
        return {"input_ids": tokens(), "token_type_ids": (torch.arange(9) > 5).long().expand(3, -1)}


class TestMiniLM(TestBERT):
    name = "minilm_l6"
    parameter_names = NAMES / "minilm_l6.txt"

    def arguments(self) -> dict[str, Any]:
        return {**SMALL_TEXT, "pool": "avg", "num_classes": 3}


class TestRoBERTa(TestBERT):
    name = "roberta"
    parameter_names = NAMES / "roberta.txt"


class TestDistilBERT(TestBERT):
    name = "distilbert"
    parameter_names = NAMES / "distilbert.txt"

    def arguments(self) -> dict[str, Any]:
        return {**SMALL_TEXT, "num_classes": 3}


class TestGPT2(ModelTests):
    name = "gpt2"
    parameter_names = NAMES / "gpt2.txt"

    def arguments(self) -> dict[str, Any]:
        return SMALL_TEXT

    def inputs(self) -> dict[str, Tensor]:
        return {"input_ids": tokens()}


class TestLlama(TestGPT2):
    name = "llama"
    parameter_names = NAMES / "llama.txt"

    def arguments(self) -> dict[str, Any]:
        return {**SMALL_TEXT, "num_kv_heads": 2, "mlp_width": 40}


class TestLlamaWithALastLayerOfItsOwn(TestLlama):
    name = "tinyllama_1b"
    parameter_names = NAMES / "tinyllama_1b.txt"

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "head_width": 6, "num_classes": 3}


class TestT5(TestGPT2):
    name = "t5"
    parameter_names = NAMES / "t5.txt"

    def arguments(self) -> dict[str, Any]:
        buckets = {"num_buckets": 8, "max_distance": 12}
        return {**SMALL_TEXT, **buckets, "decoder_depth": 3, "head_width": 6, "mlp_width": 40}


class TestT5WithGatesAndALastLayerOfItsOwn(TestT5):
    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "feed_forward": "gated-gelu", "tied": False}


class TestMarian(TestGPT2):
    name = "marian"
    parameter_names = NAMES / "marian.txt"

    def arguments(self) -> dict[str, Any]:
        return {**SMALL_TEXT, "decoder_depth": 3, "decoder_num_heads": 2, "mlp_width": 40, "decoder_mlp_width": 24}


@pytest.mark.parametrize(("name", "arguments"), SMALL)
def test_checkpointing_changes_nothing_but_memory(name: str, arguments: dict[str, Any]) -> None:
    model: Any = zoo.create(name, **arguments).train()
    inputs = images(32) if name == "vit" else tokens()
    parameter = next(parameter for key, parameter in model.named_parameters() if "attn" in key or "attention" in key)
    plain = torch.autograd.grad(model(inputs).square().sum(), parameter)[0]
    model.set_grad_checkpointing()
    assert torch.allclose(plain, torch.autograd.grad(model(inputs).square().sum(), parameter)[0], atol=1e-5)


@pytest.mark.parametrize(("name", "arguments"), SMALL)
def test_chance_acts_in_training_alone(name: str, arguments: dict[str, Any]) -> None:
    chance = {"drop_path_rate": 0.9} if name == "vit" else {"dropout": 0.5}
    model = zoo.create(name, **arguments, **chance)
    inputs = images(32) if name == "vit" else tokens()
    with torch.no_grad():
        assert torch.equal(model.eval()(inputs), model(inputs))
        model.train()
        outputs = []
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            outputs.append(model(inputs))
    assert torch.equal(outputs[0], outputs[1]), "the draws are those of torch's global generator"
    assert not torch.equal(outputs[0], outputs[2])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("vit", {"depth": 0}),
        ("vit", {"width": 100}),
        ("vit", {"image_size": 30}),
        ("vit", {"image_size": [32, 32, 32]}),
        ("vit", {"pool": "max"}),
        ("vit", {"class_token": False}),
        ("vit", {"drop_path_rate": 1.0}),
        ("bert", {"num_heads": 7}),
        ("bert", {"pool": "max"}),
        ("gpt2", {"width": 0}),
        ("gpt2", {"num_heads": 7}),
        ("llama", {"num_kv_heads": 2}),
        ("llama", {"mlp_width": 0}),
        ("t5", {"feed_forward": "gelu"}),
        ("t5", {"num_buckets": 2}),
        ("marian", {"num_heads": 7}),
        ("marian", {"activation": "tanh"}),
    ],
)
def test_impossible_sizes_are_refused(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(zoo.UsageError, match="refuses its arguments"):
        zoo.create(name, **arguments)


@pytest.mark.parametrize("name", zoo.list_models(family="transformer"))
def test_parameters_are_counted_and_layers_are_ordered(name: str) -> None:
    from zoo.engine.optimizers import _layers
    from zoo.registry.registry import default_registry
    from zoo.weights.build import build, full_arguments

    offer = default_registry().model(name)
    model: Any = build(offer, full_arguments(offer, {}), device="meta")
    assert offer.spec.parameters in (None, sum(parameter.numel() for parameter in model.parameters()))
    head = {id(parameter) for parameter in model.get_classifier().parameters()}
    names = [key for key, parameter in model.named_parameters() if id(parameter) not in head]
    layers = _layers(model, names)
    with_the_head = {key for key in names if key.startswith(("fc_norm.", "cls.", "lm_head."))}
    assert set(layers) | with_the_head == set(names), "group_matcher places every parameter but the head's"
    order = [layers[key] for key in names if key in layers]
    assert order == sorted(order), "later layers get higher numbers"


def test_a_pyramid_stands_on_a_vit() -> None:
    """Of one reduction are all its maps; the pyramid makes the others."""
    from zoo.tasks.pyramid import FeaturePyramid, backbone_maps

    model: Any = zoo.create("vit", **dict(SMALL)["vit"])
    pyramid = FeaturePyramid(model.feature_info, width=8, reductions=(4, 8, 16, 32))
    maps = backbone_maps(model, images(44), pyramid.stages)
    assert [tuple(level.shape[2:]) for level in pyramid(maps, (44, 44))] == [(11, 11), (6, 6), (3, 3), (2, 2)]


def test_other_channels_adapt_a_vit(tmp_path: Path) -> None:
    from zoo.weights.folder import save_weights

    arguments = dict(SMALL)["vit"]
    model = zoo.create("vit", **arguments).eval()
    save_weights(tmp_path / "weights", model, model_name="vit", arguments=arguments)
    grey = images(32, channels=1)
    with torch.no_grad():
        adapted = zoo.load(tmp_path / "weights", channels=1)(grey)
        assert torch.allclose(adapted, model(grey.expand(-1, 3, -1, -1)), atol=1e-5)


@pytest.mark.parametrize(("name", "arguments"), SMALL)
def test_low_rank_adapters_fit(name: str, arguments: dict[str, Any]) -> None:
    from zoo.weights.adapters import Adapted, add_adapters, merge_adapters

    model: Any = zoo.create(name, **arguments, num_classes=3).eval()
    before = list(model.state_dict())
    inputs = images(32) if name == "vit" else tokens()
    with torch.no_grad():
        plain = model(inputs)
        add_adapters(model, rank=2, alpha=4.0)
        layers = [key for key, module in model.named_modules() if isinstance(module, Adapted)]
        assert len(layers) >= 8 and not any(key.startswith(("head", "score", "classifier")) for key in layers)
        assert torch.allclose(model(inputs), plain, atol=1e-5), "a correction begins at nothing"
        merge_adapters(model)
    assert list(model.state_dict()) == before


@pytest.mark.parametrize(("name", "arguments"), SMALL)
def test_half_precision(name: str, arguments: dict[str, Any], tmp_path: Path) -> None:
    from zoo.weights.folder import save_weights

    model: Any = zoo.create(name, **arguments).eval()
    save_weights(tmp_path / "weights", model, model_name=name, arguments=arguments)
    half = zoo.load(tmp_path / "weights", dtype="bfloat16")
    with torch.no_grad():
        inputs = images(32) if name == "vit" else tokens()
        outputs = half(inputs.bfloat16() if name == "vit" else inputs)
    assert outputs.dtype == torch.bfloat16
    assert torch.allclose(outputs.float(), model(inputs), atol=0.2)
