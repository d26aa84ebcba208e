"""Pretraining as it is asked for: from the shell to finetuned weights, and what is refused."""

import json
from pathlib import Path

import pytest
import torch
from zoo_cnn.pretraining.settings import SimCLRSettings
from zoo_cnn.pretraining.views import size_of_views, two_views

import zoo
from plugins.cnn.tests.tiny import INPUTS, TINY, batch, stepper
from zoo.registry.recipe_settings import settings_from
from zoo.registry.registry import default_registry
from zoo.training.named_recipe import make_recipe


def test_views_are_two_and_smaller_where_the_model_takes_that() -> None:
    settings = SimCLRSettings(jitter=0.0)
    images = batch()["images"]
    views = two_views(images, zoo.Draws(0, 0, torch.arange(8)), settings, [9, 9])
    assert views.shape == (16, 1, 9, 9)
    assert not torch.allclose(views[:8], views[8:])
    assert size_of_views(zoo.create("resnet20", **TINY), INPUTS, 0.75) == [9, 9]
    assert size_of_views(zoo.create("dense_autoencoder", image_size=12), INPUTS, 0.75) == [12, 12]


def test_views_are_mirrored_unless_the_data_say_otherwise() -> None:
    ramp = torch.linspace(0.1, 1, 12).expand(16, 1, 12, 12)  # brighter to the right
    for mirrored, both in (("auto", True), ("yes", True), ("no", False)):
        settings = SimCLRSettings(jitter=0.0, mirrored=mirrored)  # type: ignore[arg-type]
        views = two_views(ramp, zoo.Draws(0, 0, torch.arange(16)), settings, [9, 9])
        assert bool((views.diff(dim=3).mean((1, 2, 3)) < 0).any()) == both, mirrored


def test_distillation_says_what_it_needs(trained_teacher: Path) -> None:
    with pytest.raises(zoo.UsageError, match="--set teacher=WEIGHTS"):
        stepper("distillation")
    with pytest.raises(zoo.UsageError, match="tells 3 classes"):
        stepper("distillation", ("cat", "dog"), teacher=str(trained_teacher))
    with pytest.raises(zoo.NotFoundError):
        stepper("distillation", teacher=str(trained_teacher / "gone"))
    taught = stepper("distillation", teacher=str(trained_teacher))
    assert set(taught.recipe.evaluate([batch(labels=False)])) == {"agreement"}


def test_a_distilled_model_is_scored_where_its_teacher_has_gone(trained_teacher: Path) -> None:
    offer = default_registry().recipe("distillation")
    settings = settings_from(offer, {"teacher": str(trained_teacher / "gone")})
    model = zoo.create("resnet20", **TINY, num_classes=2)
    recipe = make_recipe(offer, settings, model, ("a", "b"), INPUTS)
    assert set(recipe.evaluate([batch()])) == {"accuracy", "loss"}


def test_pretraining_goes_from_the_shell_to_finetuned_weights(tmp_path: Path) -> None:
    settings = {"steps": 2, "batch_size": 32, "projection_hidden": 16, "bank_size": 64, "evaluations": 1}
    run = zoo.pretrain(
        "resnet20",
        data="fashion_mnist_sample",
        out=tmp_path / "simclr",
        recipe="simclr",
        settings=settings,
        arguments={"depth": 1, "widths": [4, 8, 16]},
    )
    assert {"loss", "rankme", "knn", "linear_probe"} <= set(run.scores)
    assert {path.name for path in run.pictures} == {"curves.png", "views.png", "neighbours.png", "features.png"}
    assert zoo.describe(run.folder).labels == ()
    scores = zoo.evaluate(run.folder, data="fashion_mnist_sample")
    assert set(scores) == {"rankme", "knn"}
    supervised = zoo.pretrain(
        "resnet20",
        data="fashion_mnist_sample",
        out=tmp_path / "supervised",
        settings={"steps": 2, "batch_size": 32, "mixing": "mixup_cutmix", "augmentation": "randaugment", "ema": 0.9},
        arguments={"depth": 1, "widths": [4, 8, 16], "drop_path_rate": 0.1},
    )
    block = zoo.describe(supervised.folder)
    assert len(block.labels) == 10 and block.task == "image-classification"
    assert json.loads((supervised.folder / "run.json").read_text())["recipe"] == "supervised"
    taught = zoo.pretrain(
        "resnet20",
        data="fashion_mnist_sample",
        out=tmp_path / "taught",
        recipe="distillation",
        settings={"steps": 2, "batch_size": 32, "teacher": str(supervised.folder)},
        arguments={"depth": 1, "widths": [4, 8, 16]},
    )
    assert {"agreement", "accuracy", "loss"} == set(taught.scores)


def test_supervised_refuses_pictures_without_labels(tmp_path: Path) -> None:
    from PIL import Image

    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for place in range(4):
            Image.new("L", (12, 12), 60 * place).save(tmp_path / split / f"{place}.png")
    with pytest.raises(zoo.DataError, match="has no labels"):
        zoo.pretrain("resnet20", data=str(tmp_path), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("settings", [{"batch_size": 1}, {"batch_size": 4, "accumulate": 4}])
def test_simclr_needs_pictures_to_tell_apart(settings: dict[str, int]) -> None:
    with pytest.raises(zoo.UsageError, match="leaves one; set batch_size=[28] or more"):
        stepper("simclr", **settings)
