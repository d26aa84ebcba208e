"""What is said of pictures, and drawn into them."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.lettering import READABLE, written
from zoo.tasks.detection.decode import Detections
from zoo.tasks.detection.pictures import boxed_grid, precision_recall
from zoo.tasks.detection.predictor import DetectionPredictor
from zoo.weights.inputs import Preprocessing


class Fixed(nn.Module):
    """Says of every picture the same: a sure dog, a less sure cat, and something unsure."""

    pyramid = SimpleNamespace(reductions=(10, 20))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = torch.tensor([[0.01, 0.9], [0.5, 0.01], [0.1, 0.1]])
        boxes = torch.tensor([[2.0, 1, 8, 5], [0, 0, 4, 4], [1, 1, 2, 2]])
        return torch.logit(scores).expand(len(images), -1, -1), boxes.expand(len(images), -1, -1)


PREDICTOR = DetectionPredictor(Fixed(), ("cat", "dog"), Preprocessing(image_size=(4, 4), channels=3))


def test_boxes_are_in_the_pixels_of_each_file_best_first() -> None:
    one, two = PREDICTOR(torch.zeros(2, 3, 10, 20), [(10, 20), (100, 20)])
    assert [item["label"] for item in one["boxes"]] == ["dog", "cat"]
    assert one["boxes"][0]["box"] == [2, 1, 8, 5] and two["boxes"][0]["box"] == [2, 10, 8, 50]
    assert one["boxes"][0]["score"] == pytest.approx(0.9)
    json.dumps([one, two])


def test_the_row_counts_and_lists() -> None:
    (result,) = PREDICTOR(torch.zeros(1, 3, 10, 20), [(10, 20)])
    assert PREDICTOR.row(result) == ["1 dog, 1 cat", "dog 0.90 at 2, 1, 8, 5; cat 0.50 at 0, 0, 4, 4"]
    assert PREDICTOR.row({"boxes": []}) == ["nothing", ""]
    many = {"boxes": result["boxes"] * 4}
    assert PREDICTOR.row(many)[1].endswith("; and 3 more")
    assert len(PREDICTOR.columns) == len(PREDICTOR.row(result))


def boxes(count: int) -> dict[str, object]:
    """Return as many boxes as asked for, of a dog and then of cats."""
    labels = ["dog", *["cat"] * (count - 1)]
    return {"boxes": [{"label": label, "score": 0.9, "box": [10, 20, 50, 35]} for label in labels]}


def test_boxes_are_drawn_into_an_enlarged_copy_of_the_picture() -> None:
    picture = Image.new("L", (60, 40))
    drawn = PREDICTOR.draw(picture, boxes(1))
    assert drawn.size == (360, 240) and drawn.mode == "RGB"
    assert drawn.getpixel((60, 180)) != (0, 0, 0) and drawn.getpixel((180, 180)) == (0, 0, 0)
    assert picture.getextrema() == (0, 0)


def test_a_large_picture_keeps_its_size() -> None:
    assert PREDICTOR.draw(Image.new("RGB", (400, 330)), boxes(2)).size == (400, 330)


def test_few_boxes_have_a_label_each_and_many_one_legend() -> None:
    picture = Image.new("L", (60, 40))
    with written() as labels:
        alone = PREDICTOR.draw(picture, boxes(2))
    assert list(labels) == ["dog 0.90", "cat 0.90"] and alone.size == (360, 240)
    with written() as legend:
        many = PREDICTOR.draw(picture, boxes(20))
    assert list(legend) == ["19 cat", "1 dog"] and many.width == 360 and many.height > 240
    assert min(*labels.values(), *legend.values()) >= READABLE


def test_a_label_at_the_border_stays_inside() -> None:
    at_the_corner = {"boxes": [{"label": "dog", "score": 0.9, "box": [390.0, 0.0, 400.0, 5.0]}]}
    drawn = PREDICTOR.draw(Image.new("RGB", (400, 330)), at_the_corner)
    assert drawn.crop((320, 6, 385, 16)).getextrema() != ((0, 0), (0, 0), (0, 0))


def test_a_grid_has_one_legend_for_all_its_pictures(tmp_path: Path) -> None:
    classes = ("cat", "dog", "cow")
    truth = torch.tensor([[[1.0, 1, 9, 9, 0, 0], [2, 2, 8, 8, 1, 0], [0, 0, 0, 0, -1, 0]]]).repeat(3, 1, 1)
    found = Detections(truth[:, :2, :4], torch.full((3, 2), 0.9), torch.tensor([[0, 1]] * 3))
    with written() as texts:
        boxed_grid(torch.rand(3, 3, 24, 32), found, truth, classes, tmp_path / "boxes.png")
    assert list(texts) == ["predicted", "ground truth", "cat", "dog"] and min(texts.values()) >= READABLE
    with Image.open(tmp_path / "boxes.png") as picture:
        assert picture.width >= 3 * 320


def test_the_curves_of_many_classes_are_named_once(tmp_path: Path) -> None:
    with written() as texts:
        precision_recall({f"class {place}": np.full(101, place / 20) for place in range(20)}, tmp_path / "curves.png")
    assert sum(text.startswith("class") for text in texts) == 8 and min(texts.values()) >= READABLE
