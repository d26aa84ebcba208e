"""Pictures come to their size as timm and transformers bring them there, to the pixel: by numbers recorded of both."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.data.images.pictures import decode_all
from zoo.data.images.scaling import Scaling, scaled, scaling_of
from zoo.errors import DataError
from zoo.weights.foreign.config_files import preprocessing_of

LAYOUT = zoo.Layout(library="", models={}, stem="", classifier="")
RECORDED = json.loads((Path(__file__).parent / "recorded_scaling.json").read_text())
"""Written by tests/interop/test_preprocessing.py, which also checks it; it says with which versions."""


def pattern(width: int, height: int) -> Image.Image:
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x * 37 + y * 59, x * y * 3, x * x + y * 91], -1).astype(np.uint8))


@pytest.mark.parametrize("row", RECORDED["rows"], ids=lambda row: row["name"])
def test_pixels_are_those_recorded(row: dict[str, Any]) -> None:
    inputs = preprocessing_of(row["config"], row["processor"], LAYOUT, 3, "a test")
    for size, expected in zip([(97, 61), (45, 80), (64, 64)], row["pixels"], strict=True):
        pixels = np.asarray(scaled(pattern(*size), inputs.image_size, scaling_of(inputs), "a pattern"), np.int64)
        rows, columns = ([0, side // 2, side - 1] for side in inputs.image_size)
        assert pixels.shape == (*inputs.image_size, 3)
        assert np.abs(pixels[rows][:, columns].transpose(2, 0, 1) - expected).max() <= 1


def test_a_large_jpeg_is_decoded_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    pattern(400, 300).save(path, quality=95)
    (found,), _ = decode_all([path], (20, 30), 3)
    with Image.open(path) as picture:
        expected = np.asarray(picture.resize((30, 20), Image.Resampling.BILINEAR))
    assert np.array_equal(found.transpose(1, 2, 0), expected)


@pytest.mark.parametrize(("crop", "mode"), [(1.0, "squash"), (0.9, "center")])
def test_a_record_without_a_mode_means_what_it_meant(crop: float, mode: str) -> None:
    old = {"image_size": [8, 9], "channels": 3, "mean": [0.0], "std": [1.0], "crop": crop, "interpolation": "bilinear"}
    inputs = msgspec.convert(old, zoo.Preprocessing)
    assert (inputs.crop_mode, inputs.crop_offset) == (mode, "rounded")
    assert msgspec.to_builtins(inputs)["crop_mode"] == mode
    with pytest.raises(msgspec.ValidationError, match="crop_mode"):
        msgspec.convert({**old, "crop_mode": None}, zoo.Preprocessing)


def test_a_border_has_the_mean_in_grey_as_in_colors() -> None:
    inputs = zoo.Preprocessing(image_size=(8, 8), channels=1, mean=(0.2,), crop_mode="border")
    (grey,) = {scaled(Image.new("L", (8, 2)), (8, 8), scaling_of(inputs), "a").getpixel((0, row)) for row in (0, 7)}
    (color,) = {scaled(Image.new("RGB", (8, 2)), (8, 8), scaling_of(inputs), "a").getpixel((0, row)) for row in (0, 7)}
    assert (grey, color) == (51, (51, 51, 51))


def test_a_line_is_not_scaled_to_more_than_memory_holds() -> None:
    covering = Scaling(1.0, "center")
    with pytest.raises(DataError, match="a line is too elongated: its 60000x1 scaled to 13440000x224 are more than"):
        scaled(Image.new("L", (60_000, 1)), (224, 224), covering, "a line")
    assert scaled(Image.new("L", (60_000, 1)), (224, 224), Scaling(1.0, "border"), "a line").size == (224, 224)
