"""Rates that nobody gives follow from the size of the model, the method and the batch, and are on record as numbers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

import zoo
from zoo.cli import run
from zoo.registry.recipe_settings import recipe_settings
from zoo.registry.registry import default_registry
from zoo.specs.settings import rate_rules
from zoo.training.rates import rates_for
from zoo.weights.build import full_arguments

pytestmark = pytest.mark.skipif(
    not {"dense_autoencoder", "bert", "resnet20"} <= {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs models: pip install -e plugins/autoencoder plugins/cnn plugins/transformer",
)
DATA = "fashion_mnist_sample"


def chosen(model: str, recipe: str, **given: Any) -> Any:
    """Return the settings of a recipe for a model, as a run would have them."""
    offer = default_registry().model(model)
    spec, settings = recipe_settings(recipe, model, given)
    own = offer.spec.settings if offer.spec.recipe == spec.name else {}
    return rates_for(offer, full_arguments(offer, {}), settings, given, own)(settings)


FIELDS = [
    # BERT base takes 2e-5 to 5e-5 for 16 to 32 texts (Devlin et al., 2019, A.3), for all pretrained layers
    ("bert", "text_classification", {}, 2e-5, 5e-5),
    ("bert", "text_classification", {"batch_size": 16}, 2e-5, 5e-5),
    ("gpt2", "text_generation", {}, 2e-5, 6e-5),
    # RoBERTa takes 4e-4 to 5e-4 with adapters (Hu et al., 2021, D.1); GPT-3 2e-4
    ("bert", "text_classification", {"method": "lora"}, 1e-4, 5e-4),
    ("tinyllama_1b", "text_generation", {"method": "lora"}, 1e-4, 5e-4),
    # MAE finetunes ViT-B at 5e-4 * 64 / 256 (He et al., 2022, table 9), ConvNeXt-T at 5e-5 to 4e-4
    ("vit_base_patch16_224", "image_classification", {}, 1e-4, 1.6e-4),
    ("convnext_tiny", "image_classification", {}, 5e-5, 4e-4),
]


@pytest.mark.parametrize(("model", "recipe", "given", "least", "most"), FIELDS)
def test_pretrained_layers_learn_at_the_fields_rates(
    model: str, recipe: str, given: dict[str, Any], least: float, most: float
) -> None:
    settings = chosen(model, recipe, **given)
    assert least <= settings.learning_rate * settings.backbone_rate <= most


@pytest.mark.parametrize(
    ("model", "recipe", "batch", "published", "within"),
    [
        # MAE, 1.5e-4 for each 256 (He et al., 2022, table 8)
        ("vit_base_patch16_224", "masked_image_modelling", 256, 1.5e-4, 0.02),
        ("vit_base_patch16_224", "masked_image_modelling", 4096, 2.4e-3, 0.02),
        # DINO, 5e-4 for each 256 (Caron et al., 2021)
        ("vit_small_patch16_224", "dino", 1024, 2e-3, 0.05),
        # DeiT-B, 1e-3 at 1,024 (Touvron et al., 2021); ConvNeXt-T, 4e-3 at 4,096 (Liu et al., 2022)
        ("vit_base_patch16_224", "supervised", 1024, 1e-3, 0.1),
        ("convnext_tiny", "supervised", 4096, 4e-3, 0.15),
        # GPT-2 small, 6e-4 at half a million tokens (Brown et al., 2020, table 2.1)
        ("gpt2", "causal_language_modelling", 512, 6e-4, 0.25),
        # 0.1 for each 256 by SGD (Goyal et al., 2017); He et al., 2016, 0.1 at 128 for CIFAR's
        ("vit_base_patch16_224", "supervised", 1024, 0.4, 0.0),
        ("resnet20", "supervised", 128, 0.1, 0.0),
        ("resnet20", "supervised", 512, 0.4, 0.0),
    ],
)
def test_pretraining_begins_at_the_papers_rates(
    model: str, recipe: str, batch: int, published: float, within: float
) -> None:
    sgd = {"optimizer": "sgd"} if published >= 0.1 else {}
    settings = chosen(model, recipe, batch_size=batch, **sgd)
    assert settings.learning_rate == pytest.approx(published, rel=within or 1e-9)


def test_small_models_learn_at_the_default() -> None:
    assert chosen("resnet20", "image_classification").learning_rate == 2e-3
    assert chosen("resnet20", "image_classification", batch_size=16).learning_rate == 1e-3
    assert chosen("resnet20", "simclr", batch_size=64).learning_rate == 5e-4


def test_a_head_alone_does_not_depend_on_what_it_is_behind() -> None:
    rates = {chosen(name, "image_classification", method="frozen").learning_rate for name in ("resnet20", "resnet101")}
    assert rates == {2e-3}


def test_a_new_head_keeps_its_rate_and_what_is_behind_it_falls() -> None:
    small, large = (chosen(name, "object_detection") for name in ("resnet20", "resnet50"))
    assert small.learning_rate == large.learning_rate == 2e-3
    assert (small.backbone_rate, large.backbone_rate) == (0.5, 0.121)


def test_another_optimizer_than_the_models_gets_a_rate_of_its_own() -> None:
    assert chosen("resnet50", "supervised").learning_rate == 0.1
    assert chosen("resnet50", "supervised", optimizer="adamw").learning_rate < 1e-3
    assert chosen("bert", "text_classification", optimizer="sgd").learning_rate == pytest.approx(0.02 * 32 / 256)


def test_what_is_given_stays() -> None:
    assert chosen("bert", "text_classification", learning_rate=0.5).learning_rate == 0.5
    assert chosen("resnet50", "object_detection", backbone_rate=0.5).backbone_rate == 0.5


def test_language_models_and_masked_patches_have_their_betas() -> None:
    for model, recipe in (("gpt2", "causal_language_modelling"), ("vit", "masked_image_modelling")):
        assert recipe_settings(recipe, model, {})[1].betas == (0.9, 0.95)
    assert recipe_settings("text_classification", None, {})[1].betas == (0.9, 0.999)


def test_a_plugin_states_a_rule_and_a_bound() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Settings(zoo.TrainingSettings):
        learning_rate: Annotated[float, zoo.rate_by_size(1000, "linear", most=1)] = 0.5

    assert rate_rules(Settings) == {"learning_rate": zoo.RateRule(1000, "linear")}
    for wrong in (0.0, 2.0):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"learning_rate": wrong}, Settings)
    assert rate_rules(zoo.TrainingSettings) == {}


def recorded(run: Path) -> Any:
    return json.loads((run / "run.json").read_bytes())["settings"]["learning_rate"]


def test_the_number_is_on_record_and_in_the_rehearsal(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"data": DATA, "out": tmp_path / "run", "recipe": "denoising"}
    settings = {"steps": 2, "batch_size": 64}
    found = zoo.dry_run("pretrain", "dense_autoencoder", **asked, settings=settings)
    zoo.pretrain("dense_autoencoder", **asked, settings=settings)
    assert recorded(tmp_path / "run") == found.learning_rate == 1e-3
    assert "learning_rate = 0.001\n" in (tmp_path / "run" / "recipe.toml").read_text()
    assert zoo.reproduce(tmp_path / "run", out=tmp_path / "again").identical


def test_a_run_that_is_resumed_keeps_the_rate_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {"data": DATA, "out": tmp_path / "run", "settings": {"steps": 2, "batch_size": 64}}
    with monkeypatch.context() as of_another_release:
        of_another_release.setattr("zoo.training.rates._chosen", lambda *_: 3e-4)
        zoo.pretrain("dense_autoencoder", **asked)
    zoo.pretrain("dense_autoencoder", **asked, resume=True)
    assert recorded(tmp_path / "run") == 3e-4


def test_a_rule_is_shown_and_read_back_as_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["recipes", "show", "text_classification"]) == 0
    text = capsys.readouterr().out
    assert "# learning_rate = 0.001  (up to 1,700,000 parameters, falls with their root above; grows with" in text
    (tmp_path / "own.toml").write_text(text)
    _, settings = recipe_settings(str(tmp_path / "own.toml"), None, {})
    assert settings == recipe_settings("text_classification", None, {})[1]
