"""Finetuning for classes; the autoencoders are the backbones where they are installed."""

from typing import Any

import pytest
import torch

import zoo
from zoo.engine.stepper import Stepper
from zoo.registry.registry import default_registry
from zoo.tasks.image_classification import ImageClassification
from zoo.tasks.settings import ImageClassificationSettings
from zoo.testing import RecipeTests
from zoo.weights.adapters import learnt_tensors, merge_adapters

pytestmark = pytest.mark.skipif(
    "conv_autoencoder" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a backbone: pip install -e plugins/autoencoder",
)
INPUTS = zoo.Preprocessing(image_size=(12, 12), channels=1)
SMALL: dict[str, Any] = {"image_size": 12, "widths": [4, 8], "code_size": 6}


def batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {"images": torch.rand(16, 1, 12, 12, generator=generator), "labels": torch.arange(16) % 3}


class TestImageClassification(RecipeTests):
    name = "image_classification"
    model = "conv_autoencoder"
    classes = ("a", "b", "c")
    steps = 12

    def arguments(self) -> dict[str, Any]:
        return SMALL

    def settings(self) -> dict[str, Any]:
        return {"augmentation": "none"}

    def batch(self) -> dict[str, torch.Tensor]:
        return batch()


class TestMixedImageClassification(TestImageClassification):
    steps = 20

    def settings(self) -> dict[str, Any]:
        return {"augmentation": "crop_flip", "mixing": "mixup_cutmix"}


def trained(method: Any, steps: int = 1) -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    model = zoo.create("conv_autoencoder", **SMALL)
    recipe = ImageClassification(ImageClassificationSettings(method=method), model, ("a", "b", "c"), INPUTS)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    (optimizer,) = recipe.optimizers().values()
    for _ in range(steps):
        (loss,) = recipe.step(batch(), zoo.Draws(0, 0, torch.arange(16)))
        loss.value.backward()
        optimizer.step()
    return model, before


class TestLowRankImageClassification(TestImageClassification):
    steps = 30

    def settings(self) -> dict[str, Any]:
        return {"augmentation": "none", "method": "lora", "lora_rank": 2, "learning_rate": 1e-2}


class TestGradualImageClassification(TestImageClassification):
    def settings(self) -> dict[str, Any]:
        return {"augmentation": "none", "method": "gradual"}


def test_frozen_moves_the_head_alone() -> None:
    model, before = trained("frozen")
    moved = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {"head.weight", "head.bias"}
    assert all(parameter.grad is None for name, parameter in model.named_parameters() if not name.startswith("head"))


def test_full_moves_the_encoder_but_not_the_decoder() -> None:
    model, before = trained("full")
    moved = {name.split(".")[0] for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {"encoder", "head"}


def test_full_gives_lower_layers_smaller_rates() -> None:
    model = zoo.create("conv_autoencoder", **SMALL)
    recipe = ImageClassification(ImageClassificationSettings(), model, ("a", "b"), INPUTS)
    rates = {id(p): group["lr"] for group in recipe.optimizers()["model"].param_groups for p in group["params"]}
    by_name = {name: rates[id(parameter)] for name, parameter in model.named_parameters()}
    assert by_name["encoder.stages.0.0.0.weight"] < by_name["encoder.stages.1.0.0.weight"] < by_name["head.weight"]


def test_pictures_are_normalised_as_the_weights_took_them() -> None:
    model = zoo.create("conv_autoencoder", **SMALL)
    scores = []
    for mean, std in ((0.0, 1.0), (0.5, 0.2)):
        inputs = zoo.Preprocessing(image_size=(12, 12), channels=1, mean=(mean,), std=(std,))
        recipe = ImageClassification(ImageClassificationSettings(), model, ("a", "b", "c"), inputs)
        images = batch()["images"] * std + mean
        scores.append(recipe.evaluate([{**batch(), "images": images}])["loss"])
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)


def test_lora_moves_adapters_and_head_and_is_merged_without_a_trace() -> None:
    model, before = trained("lora", steps=3)
    moved = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before.get(name, tensor))}
    assert {"head.weight", "encoder.stages.0.0.0.up.weight"} < moved
    assert all(name.split(".")[-2] in ("head", "up", "down") or name == "head.bias" for name in moved)
    assert moved <= set(learnt_tensors(model))
    model.eval()
    with torch.no_grad():
        adapted = model(batch()["images"])
        merge_adapters(model)
        merged = model(batch()["images"])
    assert model.state_dict().keys() == zoo.create("conv_autoencoder", **SMALL, num_classes=3).state_dict().keys()
    assert torch.allclose(adapted, merged, atol=1e-6)
    assert not torch.equal(
        model.state_dict()["encoder.stages.0.0.0.weight"], before["encoder.stages.0.0.0.base.weight"]
    )


def test_gradual_lets_the_head_begin_first_and_the_stem_last() -> None:
    model = zoo.create("conv_autoencoder", **SMALL)
    recipe = ImageClassification(ImageClassificationSettings(method="gradual"), model, ("a", "b", "c"), INPUTS)
    groups = recipe.optimizers()["model"].param_groups
    begins = {id(parameter): group["begins"] for group in groups for parameter in group["params"]}
    by_name = {name: begins[id(parameter)] for name, parameter in model.named_parameters()}
    stem, last = (by_name[f"encoder.stages.{stage}.0.0.weight"] for stage in (0, 1))
    assert by_name["head.weight"] == 0 < last < stem == 0.5
    stepper = Stepper(recipe, ImageClassificationSettings(method="gradual", schedule="constant", warmup=0), 100)
    learning = []
    for step in (0, 49, 50):
        stepper.step({**batch(), "index": torch.arange(16)}, step)
        (optimizer,) = stepper.optimizers.values()
        learning.append({group["begins"] for group in optimizer.param_groups if group["lr"]})
    assert learning[0] == {0.0}
    assert last in learning[1] and stem not in learning[1]
    assert learning[2] == set(begins.values())
