"""preprocessor_config.json is read by what the code of its class does, and what it cannot say is refused."""

from typing import Any

import pytest

import zoo
from zoo.errors import IntegrityError, UsageError
from zoo.weights.foreign.config_files import preprocessing_of
from zoo.weights.foreign.processors import inputs_of_processor, processor_of, torchvision_transform

LAYOUT = zoo.Layout(library="", models={}, stem="", classifier="")
STATISTICS: Any = {"mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6)}


def read(processor: dict[str, Any], model_type: str = "vit") -> zoo.Preprocessing:
    return preprocessing_of({"model_type": model_type}, processor, LAYOUT, 3, "a test")


@pytest.mark.parametrize(
    ("size", "crop", "mode"),
    [(224, 0.9, "center"), (383, 0.9, "center"), (384, 1.0, "squash"), (512, 1.0, "squash")],
)
def test_convnext_stretches_from_384_on_whatever_crop_pct_says(size: int, crop: float, mode: str) -> None:
    for said in (size, {"shortest_edge": size}, {"shortest_edge": size, "longest_edge": None}):
        found = read({"feature_extractor_type": "ConvNextFeatureExtractor", "size": said, "crop_pct": 0.9})
        assert (found.image_size, found.crop, found.crop_mode) == ((size, size), crop, mode)


def test_a_class_that_is_not_named_is_that_of_the_model() -> None:
    assert read({"size": 224}, "resnet").crop_mode == "center"
    assert read({"size": 224}, "vit").crop_mode == "squash"
    assert read({"size": 224, "image_processor_type": "CLIPImageProcessor"}, "vit").crop_mode == "center"


def test_null_is_what_the_class_takes() -> None:
    found = read({"image_processor_type": "DeiTImageProcessorFast", "size": None, "do_center_crop": None})
    assert (found.image_size, found.crop, found.crop_mode) == ((224, 224), 0.875, "squash")
    assert (found.mean, found.interpolation) == ((0.5, 0.5, 0.5), "bicubic")


def test_what_is_not_rescaled_has_the_statistics_of_bytes() -> None:
    found = read({"do_rescale": False, "image_mean": [51.0] * 3, "image_std": [102.0] * 3})
    assert (found.mean, found.std) == (pytest.approx((0.2,) * 3), pytest.approx((0.4,) * 3))
    doubled = read({"rescale_factor": 2 / 255, "do_normalize": False})
    assert (doubled.mean, doubled.std) == ((0.0,) * 3, (0.5,) * 3)


@pytest.mark.parametrize(
    ("processor", "why"),
    [
        (
            {"image_processor_type": "PoolFormerImageProcessor"},
            "names PoolFormerImageProcessor, whose code is not known",
        ),
        ({"do_resize": False}, "do_resize is false, but only pictures of one size"),
        ({"size": {"shortest_edge": 224}}, "nothing cut, so that pictures differ in size"),
        ({"size": {"shortest_edge": 224, "longest_edge": 400}}, "a size by shortest_edge, longest_edge is none"),
        ({"size": 200, "do_center_crop": True, "crop_size": 224}, r"a middle of \(224, 224\) cut from \(200, 200\)"),
    ],
)
def test_what_no_record_can_say_is_refused(processor: dict[str, Any], why: str) -> None:
    with pytest.raises(IntegrityError, match=why):
        read(processor)


@pytest.mark.parametrize(
    ("size", "crop", "mode"),
    [((96, 64), 1.0, "squash"), ((96, 64), 0.9, "squash"), ((96, 96), 0.9, "center"), ((384, 384), 1.0, "center")],
)
def test_what_is_written_is_read_as_the_same(size: tuple[int, int], crop: float, mode: Any) -> None:
    inputs = zoo.Preprocessing(image_size=size, channels=3, crop=crop, crop_mode=mode, **STATISTICS)
    written = processor_of(inputs, inputs.mean, inputs.std)
    again = processor_of(read(written), inputs.mean, inputs.std)
    assert again == written
    assert inputs_of_processor(written, "vit")["image_size"] == size


def test_what_transformers_and_torchvision_cannot_do_is_not_written() -> None:
    border = zoo.Preprocessing(image_size=(96, 96), channels=3, crop_mode="border", **STATISTICS)
    oblong = zoo.Preprocessing(image_size=(96, 64), channels=3, crop=0.9, crop_mode="center", **STATISTICS)
    for inputs in (border, oblong):
        with pytest.raises(UsageError, match="use --to timm"):
            processor_of(inputs, inputs.mean, inputs.std)
        assert torchvision_transform(inputs) == ""
