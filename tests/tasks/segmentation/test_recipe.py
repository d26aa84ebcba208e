"""Finetuning for a class in each pixel, on backbones of plugins where they are installed."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import zoo
from zoo.registry.registry import default_registry
from zoo.tasks.segmentation import recipe as module
from zoo.tasks.segmentation.network import Segmenter
from zoo.tasks.segmentation.recipe import ImageSegmentation
from zoo.tasks.segmentation.run_lengths import run_lengths
from zoo.tasks.segmentation.settings import ImageSegmentationSettings
from zoo.testing import RecipeTests

KNOWN = {offer.spec.name for offer in default_registry().offers("models")}
needs_autoencoder = pytest.mark.skipif(
    "conv_autoencoder" not in KNOWN, reason="needs a backbone: pip install -e plugins/autoencoder"
)
needs_cnn = pytest.mark.skipif("resnet18" not in KNOWN, reason="needs a backbone: pip install -e plugins/cnn")
INPUTS = zoo.Preprocessing(image_size=(16, 24), channels=3)
CLASSES = ("a", "b", "c")
SMALL: dict[str, Any] = {"image_size": [16, 24], "channels": 3, "widths": [4, 8], "code_size": 6}


def batch(size: tuple[int, int] = (16, 24)) -> dict[str, torch.Tensor]:
    """Return pictures whose three classes are their brightness, so that they can be learnt; some pixels are ignored."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randint(0, 3, (8, 4, 6), generator=generator)
    masks = coarse.repeat_interleave(size[0] // 4, 1).repeat_interleave(size[1] // 6, 2).to(torch.uint8)
    images = coarse.repeat_interleave(4, 1).repeat_interleave(4, 2)[:, None].expand(-1, 3, -1, -1) / 3.0
    masks[:, :2] = 255
    return {"images": images + torch.rand(8, 3, 16, 24, generator=generator) / 10, "masks": masks}


class SegmentationTests(RecipeTests):
    name = "image_segmentation"
    classes = CLASSES
    steps = 10

    def settings(self) -> dict[str, Any]:
        return {"width": 8, "finest": 2, "scale_low": 1.0, "scale_high": 1.0, "flip": False, "colour": 0.0}

    def batch(self) -> dict[str, torch.Tensor]:
        return batch()


@needs_autoencoder
class TestOnAnAutoencoder(SegmentationTests):
    model = "conv_autoencoder"

    def arguments(self) -> dict[str, Any]:
        return SMALL


@needs_cnn
class TestOnAResNetWithAllAugmentation(SegmentationTests):
    model = "resnet18"
    steps = 20

    def arguments(self) -> dict[str, Any]:
        return {"widths": [8, 8, 8, 8]}

    def settings(self) -> dict[str, Any]:
        return {"width": 8, "accumulate": 2, "batch_size": 8, "dropout": 0.0}


def recipe(**settings: Any) -> ImageSegmentation:
    torch.manual_seed(0)
    model = zoo.create("conv_autoencoder", **SMALL)
    return ImageSegmentation(ImageSegmentationSettings(width=8, finest=2, **settings), model, CLASSES, INPUTS)


def moved_by_a_step(asked: ImageSegmentation) -> set[str]:
    before = {name: tensor.clone() for name, tensor in asked.model.state_dict().items()}
    (optimizer,) = asked.optimizers().values()
    (loss,) = asked.step(batch(), zoo.Draws(0, 0, torch.arange(8)))
    loss.value.backward()
    optimizer.step()
    return {name for name, tensor in asked.model.state_dict().items() if not torch.equal(tensor, before[name])}


@needs_autoencoder
def test_frozen_moves_the_head_alone() -> None:
    moved = moved_by_a_step(recipe(method="frozen"))
    assert {name.split(".")[0] for name in moved} == {"pyramid", "merge", "classifier"}


@needs_autoencoder
def test_full_moves_the_encoder_and_the_head() -> None:
    moved = moved_by_a_step(recipe())
    assert {"backbone", "pyramid", "merge", "classifier"} == {name.split(".")[0] for name in moved}
    assert not [name for name in moved if name.startswith("backbone.decoder")]


@needs_autoencoder
def test_lora_is_merged_on_export() -> None:
    asked = recipe(method="lora")
    moved_by_a_step(asked)
    names = set(Segmenter(zoo.create("conv_autoencoder", **SMALL), 3, width=8, finest=2).state_dict())
    assert set(asked.export().state_dict()) == names


@needs_autoencoder
def test_a_segmenter_is_taken_as_it_is() -> None:
    network = recipe().model
    again = ImageSegmentation(ImageSegmentationSettings(), network, CLASSES, INPUTS)
    assert again.model is network


@needs_autoencoder
def test_scores_are_of_the_masks_size() -> None:
    asked = recipe(batch_size=3)
    scores = asked.evaluate([batch((32, 48))])
    assert set(scores) == {"miou", "pixel_accuracy", "class_accuracy", "iou/a", "iou/b", "iou/c"}
    larger = batch((32, 48))["masks"]
    predicted = F.interpolate(asked.model.eval()(batch()["images"]), (32, 48), mode="bilinear").argmax(1)
    counted = larger != 255
    right = (predicted == larger)[counted].float().mean()
    assert scores["pixel_accuracy"] == pytest.approx(float(right), abs=1e-6)


@needs_autoencoder
def test_what_is_said_of_each_picture_makes_the_scores() -> None:
    made, given = recipe(), batch((32, 48))
    scores, rows = made.evaluate_each([given])
    assert scores == made.evaluate([given]) and len(rows) == 8
    assert all(row["size"] == [32, 48] and set(row["masks"]) <= set(CLASSES) for row in rows)
    assert all(row["reference"] == run_lengths(mask, CLASSES) for row, mask in zip(rows, given["masks"], strict=True))
    assert all(sum(runs) == 32 * 48 for row in rows for runs in (*row["masks"].values(), *row["reference"].values()))


@needs_autoencoder
def test_evaluating_leaves_the_training_mode() -> None:
    asked = recipe()
    asked.evaluate([batch()])
    assert asked.model.training


@needs_autoencoder
def test_pixels_that_do_not_count_weigh_nothing() -> None:
    asked = recipe(scale_low=1.0, scale_high=1.0)
    (loss,) = asked.step(batch(), zoo.Draws(0, 0, torch.arange(8)))
    assert loss.count is not None
    assert float(loss.count) == pytest.approx(8 * 14 / 16)


@needs_autoencoder
def test_losses_are_summed_in_full_precision() -> None:
    losses = []
    for enabled in (False, True):
        asked = recipe(dropout=0.0)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            (loss,) = asked.step(batch(), zoo.Draws(0, 0, torch.arange(8)))
        assert loss.value.dtype == torch.float32
        losses.append(float(loss.value.detach()))
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


@needs_autoencoder
def test_pictures_show_a_few_from_all_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, whole, drawn = recipe(), batch(), []
    monkeypatch.setattr(
        module, "prediction_grid", lambda images, masks, *rest: drawn.append((images, masks)) or rest[-1]
    )
    parts = [{name: tensor[:4] for name, tensor in whole.items()}, {name: tensor[4:] for name, tensor in whole.items()}]
    names = [path.name for path in asked.pictures(parts, tmp_path)]
    assert names == ["predictions.png", "classes.png"]
    ((images, masks),) = drawn
    assert len(images) == 6
    assert torch.equal(images[0], whole["images"][0]) and torch.equal(masks[-1], whole["masks"][-1])
