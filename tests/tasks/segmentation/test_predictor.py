"""Masks of a file's size, drawn and put into words."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from tests.lettering import READABLE, written
from zoo.data.masks.colours import class_colours, mask_picture
from zoo.tasks.segmentation.pictures import prediction_grid
from zoo.tasks.segmentation.predictor import SegmentationPredictor
from zoo.weights.inputs import Preprocessing

LABELS = ("background", "road", "car")


class LeftRoadRightCar(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        logits = torch.zeros(len(images), 3, *images.shape[2:])
        half = images.shape[3] // 2
        logits[:, 1, :, :half] = 5
        logits[:, 2, :, half:] = 5
        return logits


def predictor() -> SegmentationPredictor:
    return SegmentationPredictor(LeftRoadRightCar(), LABELS, Preprocessing(image_size=(4, 4), channels=3))


def test_each_mask_has_the_size_of_its_file() -> None:
    first, second = predictor()(torch.rand(2, 3, 8, 16), [(30, 40), (7, 8)])
    assert first["mask"].shape == (30, 40) and second["mask"].shape == (7, 8)
    assert first["mask"].dtype == np.uint8
    assert (first["mask"][:, :18] == 1).all() and (first["mask"][:, 22:] == 2).all()
    assert sum(first["shares"].values()) == 1
    assert json.dumps(first["shares"]) and list(second["shares"]) == ["road", "car"]


def test_masks_are_palette_pictures_whose_values_are_classes(tmp_path: Path) -> None:
    (result,) = predictor()(torch.rand(1, 3, 8, 16), [(8, 16)])
    mask_picture(result["mask"], LABELS).save(tmp_path / "mask.png")
    read = Image.open(tmp_path / "mask.png")
    assert read.mode == "P" and np.array_equal(np.asarray(read), result["mask"])
    assert read.convert("RGB").getpixel((0, 0)) == tuple(class_colours(LABELS)[1].tolist())


def test_drawn_with_a_legend_below() -> None:
    (result,) = predictor()(torch.rand(1, 3, 8, 16), [(60, 90)])
    grey = Image.new("RGB", (90, 60), (128, 128, 128))
    with written() as texts:
        drawn = predictor().draw(grey, result)
    assert drawn.width == 360 and drawn.height > 240
    assert list(texts) == ["road", "car"] and min(texts.values()) >= READABLE
    left, right = (np.array(drawn.getpixel(place)) for place in ((20, 20), (340, 20)))
    assert (left != right).any() and (left != 128).any()


def test_a_grid_names_its_columns_and_each_class_once(tmp_path: Path) -> None:
    masks = torch.tensor([[[0, 1], [1, 1]]] * 4, dtype=torch.uint8)
    with written() as texts:
        prediction_grid(torch.rand(4, 3, 8, 16), masks, masks * 2, LABELS, tmp_path / "predictions.png")
    assert list(texts) == ["image", "ground truth", "prediction", *LABELS] and min(texts.values()) >= READABLE


def test_row_names_the_largest_share_first() -> None:
    (result,) = predictor()(torch.rand(1, 3, 8, 24), [(8, 24)])
    result["shares"] = {"car": 0.7, "road": 0.299, "background": 0.001}
    assert predictor().row(result) == ["car 70%, road 30%"]
    assert len(predictor().columns) == 1


def test_colours_of_many_classes_differ() -> None:
    colours = class_colours([str(place) for place in range(40)])
    assert len({tuple(colour) for colour in colours[:40].tolist()}) == 40
    assert colours[255].tolist() == [0, 0, 0]
