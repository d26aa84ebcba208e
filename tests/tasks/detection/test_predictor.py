"""What is said of pictures, and drawn into them."""

import json

import pytest
import torch
from PIL import Image
from torch import nn

from zoo.tasks.detection.predictor import DetectionPredictor
from zoo.weights.inputs import Preprocessing


class Fixed(nn.Module):
    """Says of every picture the same: a sure dog, a less sure cat, and something unsure."""

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


def test_boxes_are_drawn_into_a_copy_of_the_picture() -> None:
    picture = Image.new("L", (60, 40))
    drawn = PREDICTOR.draw(picture, {"boxes": [{"label": "dog", "score": 0.9, "box": [10, 20, 50, 35]}]})
    assert drawn.size == (60, 40) and drawn.mode == "RGB"
    assert drawn.getpixel((10, 30)) != (0, 0, 0) and drawn.getpixel((30, 30)) == (0, 0, 0)
    assert picture.getextrema() == (0, 0)
