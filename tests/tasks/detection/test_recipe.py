"""Finetuning for boxes, on a stranger's backbone."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.tasks.detection.network import Detector
from zoo.tasks.detection.recipe import ObjectDetection
from zoo.tasks.detection.settings import ObjectDetectionSettings
from zoo.testing import RecipeTests
from zoo.weights.folder import save_weights

INPUTS = zoo.Preprocessing(image_size=(32, 48), channels=3)
QUICK: dict[str, Any] = {"width": 8, "depth": 1, "colour": 0.1}


def batch() -> dict[str, torch.Tensor]:
    """Return eight pictures with a bright or a dark square each, one of them without, and one not to be scored."""
    generator = torch.Generator().manual_seed(0)
    images, boxes = torch.rand(8, 3, 32, 48, generator=generator) * 0.2 + 0.4, torch.zeros(8, 2, 6)
    boxes[..., 4] = -1
    for place in range(7):
        left, top = 3 * place, 2 * place
        images[place, :, top : top + 14, left : left + 16] = float(place % 2)
        boxes[place, 0] = torch.tensor([left, top, left + 16, top + 14, place % 2, place == 6])
    return {"images": images, "boxes": boxes, "sizes": torch.tensor([[64, 96]]).repeat(8, 1)}


class TestObjectDetection(RecipeTests):
    name = "object_detection"
    model = "stranger"
    classes = ("dark", "bright")
    steps = 40  # what is asked of the places rises with how well they do, and the loss with it at first

    @pytest.fixture(autouse=True)
    def _backbone(self, stranger: str) -> None:
        """Have the backbone installed."""

    def settings(self) -> dict[str, Any]:
        return QUICK

    def batch(self) -> dict[str, torch.Tensor]:
        return batch()


class TestLowRankObjectDetection(TestObjectDetection):
    steps = 60

    def settings(self) -> dict[str, Any]:
        return {**QUICK, "method": "lora", "lora_rank": 2}


def recipe(stranger: str, **settings: Any) -> ObjectDetection:
    torch.manual_seed(0)
    chosen = ObjectDetectionSettings(**{**QUICK, "flips": "none", "zoom": 1.0, "colour": 0.0, **settings})
    return ObjectDetection(chosen, zoo.create(stranger), ("dark", "bright"), INPUTS)


def train(made: ObjectDetection, steps: int) -> None:
    (optimizer,) = made.optimizers().values()
    for step in range(steps):
        (loss,) = made.step(batch(), zoo.Draws(0, step, torch.arange(8)))
        optimizer.zero_grad()
        loss.value.backward()
        optimizer.step()


def test_learns_a_batch_by_heart(stranger: str) -> None:
    made = recipe(stranger, width=32, learning_rate=1e-2)
    train(made, 60)
    scores, rows = made.evaluate_each([batch()])
    assert scores == made.evaluate([batch()]) and scores["ap50"] > 0.9
    third, crowd, none = rows[3], rows[6], rows[7]
    assert third["reference"] == [{"label": "bright", "box": [18.0, 12.0, 50.0, 40.0]}]  # in the pixels of the file
    assert third["boxes"][0]["label"] == "bright" and third["boxes"][0]["score"] > third["boxes"][-1]["score"]
    assert third["boxes"][0]["box"] == pytest.approx(third["reference"][0]["box"], abs=6)
    assert crowd["reference"][0]["crowd"] and none["reference"] == []


def test_boxes_are_scored_in_the_pixels_of_the_files(stranger: str) -> None:
    made = recipe(stranger)
    small, large = batch(), batch()
    large["sizes"] = large["sizes"] * 1000
    assert made.evaluate([small]) == pytest.approx(made.evaluate([large]))


def test_scores_do_not_depend_on_how_pictures_are_batched(stranger: str) -> None:
    made = recipe(stranger)
    train(made, 3)
    parts = [{name: tensor[start : start + 3] for name, tensor in batch().items()} for start in (0, 3, 6)]
    assert made.evaluate(parts) == pytest.approx(made.evaluate([batch()]), rel=1e-4)


def test_fewer_pictures_than_are_shown_are_trained_on_at_once(stranger: str, tmp_path: Path) -> None:
    drawn = recipe(stranger, batch_size=3).pictures([batch()], tmp_path)
    assert [path.name for path in drawn] == ["boxes.png", "precision_recall.png"]


def test_goes_on_with_a_detector_of_the_same_classes(stranger: str) -> None:
    detector = Detector(zoo.create(stranger), 2, width=8)
    chosen = ObjectDetectionSettings()
    assert ObjectDetection(chosen, detector, ("dark", "bright"), INPUTS).export() is detector


def test_frozen_moves_the_head_alone(stranger: str) -> None:
    made = recipe(stranger, method="frozen")
    before = {name: tensor.clone() for name, tensor in made.model.state_dict().items()}
    train(made, 2)
    moved = {name for name, tensor in made.model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved and not any(name.startswith("backbone.") for name in moved)


def write_voc(folder: Path, count: int = 24) -> Path:
    """Write a folder of Pascal VOC: grey pictures with a bright square each."""
    for name in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    for place in range(count):
        pixels = np.full((32, 48, 3), 90, np.uint8)
        left, top = place, place % 12
        pixels[top : top + 14, left : left + 16] = 250
        Image.fromarray(pixels).save(folder / "JPEGImages" / f"{place}.png")
        sides = {"xmin": left, "ymin": top, "xmax": left + 16, "ymax": top + 14}
        box = "".join(f"<{name}>{value}</{name}>" for name, value in sides.items())
        text = f"<annotation><object><name>square</name><bndbox>{box}</bndbox></object></annotation>"
        (folder / "Annotations" / f"{place}.xml").write_text(text)
    names = [str(place) for place in range(count)]
    (folder / "ImageSets/Main/train.txt").write_text("\n".join(names[:16]))
    (folder / "ImageSets/Main/test.txt").write_text("\n".join(names[16:]))
    return folder


@pytest.mark.parametrize("processes", [1, 2])
def test_from_the_shell_to_a_prediction(tmp_path: Path, stranger: str, processes: int) -> None:
    data, weights, out = write_voc(tmp_path / "data"), tmp_path / "weights", tmp_path / "run"
    save_weights(weights, zoo.create(stranger), model_name=stranger, arguments={}, labels=(), inputs=INPUTS, data=None)
    options = ["--data", str(data), "--out", str(out), "--processes", str(processes)]
    settings = ["steps=4", "batch_size=8", "width=8", "depth=1"]
    done = subprocess.run(
        [sys.executable, "-m", "zoo", "finetune", str(weights), "--task", "object-detection", *options]
        + [word for setting in settings for word in ("--set", setting)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert {"boxes.png", "precision_recall.png"} <= {path.name for path in (out / "pictures").iterdir()}
    model = zoo.load(str(out / "weights"))
    assert isinstance(model, Detector) and model.arguments["width"] == 8
    picture = data / "JPEGImages" / "20.png"
    (result,) = model.predict([picture])
    assert set(result) == {"boxes"}
    scores = zoo.evaluate(str(out / "weights"), data=str(data))
    assert {"ap", "ap50", "ap75", "ap50/square", "loss"} <= scores.keys()
