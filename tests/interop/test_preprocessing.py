"""Photographs of odd sizes become the very pixels of timm, torchvision and transformers: `make test-interop`.

`ZOO_PHOTOGRAPHS=200` takes as many.

`python tests/interop/test_preprocessing.py` writes what tests/data/images/test_scaling.py compares with in `make test`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from PIL import __version__ as pillow
from safetensors.torch import save_file

import zoo
from tests.interop.photographs import of_ours, pixel_values
from zoo.weights.config import read_config
from zoo.weights.foreign.config_files import preprocessing_of

timm = pytest.importorskip("timm", reason="needs timm: make test-interop")
transformers = pytest.importorskip("transformers", reason="needs transformers: make test-interop")
torchvision = pytest.importorskip("torchvision", reason="needs torchvision: make test-interop")

LAYOUT = zoo.Layout(library="", models={}, stem="", classifier="")
TAGS = """
resnet18.a1_in1k resnet18.gluon_in1k resnet18.fb_ssl_yfcc100m_ft_in1k resnet34.a3_in1k resnet34.ra4_e3600_r224_in1k
resnet50.tv2_in1k resnet50.a1h_in1k resnet50.bamboo resnet34.bt_in1k resnet101.tv2_in1k
convnext_atto.d2_in1k convnext_femto.d1_in1k convnext_pico.d1_in1k convnext_nano.r384_in12k convnext_nano.in12k_ft_in1k
convnext_tiny.fb_in22k_ft_in1k_384 convnext_tiny.in12k_ft_in1k_384 convnext_tiny.dinov3_lvd1689m
convnext_tiny.eupe_lvd1689m convnext_base.clip_laion2b convnext_base.clip_laiona_320
convnext_base.clip_laiona_augreg_ft_in1k_384 convnext_base.clip_laion2b_augreg_ft_in12k_in1k_384
mobilenetv3_large_100.miil_in21k mobilenetv3_large_100.ra4_e3600_r224_in1k mobilenetv3_small_100.lamb_in1k
efficientnet_b0.ra_in1k efficientnet_b0.ra4_e3600_r224_in1k vit_small_patch16_224.dino vit_base_patch16_224.bamboo
vit_tiny_patch16_224.augreg_in21k
""".split()
WITHOUT_TAG: list[dict[str, Any]] = [
    {"input_size": (3, 96, 96), "crop_pct": 1.0, "crop_mode": "border", "mean": (0.1, 0.5, 0.9)},
    {"input_size": (3, 97, 64), "crop_pct": 0.9, "crop_mode": "border", "interpolation": "lanczos"},
    {"input_size": (3, 97, 64), "crop_pct": 0.9, "crop_mode": "squash", "interpolation": "box"},
    {"input_size": (3, 97, 64), "crop_pct": 0.86, "crop_mode": "center", "interpolation": "hamming"},
    {"input_size": (3, 31, 32), "crop_pct": 1.0, "interpolation": "nearest"},
    {},
]
PROCESSORS: list[tuple[str, dict[str, Any]]] = [
    ("ConvNext", {"size": {"shortest_edge": 224}}),
    ("ConvNext", {"size": {"shortest_edge": 160}, "crop_pct": 0.95, "resample": 2}),
    ("ConvNext", {"size": {"shortest_edge": 384}, "crop_pct": 0.9}),
    ("ConvNext", {}),
    ("ViT", {}),
    ("ViT", {"size": {"height": 384, "width": 300}, "resample": 3}),
    ("ViT", {"do_rescale": False, "do_normalize": False}),
    ("DeiT", {}),
    ("DeiT", {"size": {"height": 251, "width": 251}, "crop_size": {"height": 224, "width": 224}}),
    ("Bit", {"size": {"shortest_edge": 249}}),
    ("CLIP", {"size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}}),
    ("Siglip", {}),
    ("Beit", {}),
    ("Beit", {"do_center_crop": True, "size": {"height": 256, "width": 256}}),
    ("Pvt", {"rescale_factor": 1 / 127.5}),
    ("MobileNetV1", {}),
    ("MobileNetV2", {"size": {"shortest_edge": 260}, "resample": 1}),
    ("Levit", {}),
]


def assert_pixels(paths: list[Path], inputs: zoo.Preprocessing, theirs: Any) -> None:
    """Assert that no value of a picture differs by more than a hundredth of the step from one byte to the next."""
    std = torch.tensor(inputs.std)[:, None, None] * 255
    for path, mine in zip(paths, of_ours(paths, inputs), strict=True):
        with Image.open(path) as picture:
            other = theirs(picture.convert("RGB"))
        assert mine.shape == other.shape
        difference = float(((mine - other) * std).abs().max())
        assert difference < 0.01, f"{path.name}: {difference:.2f} of 255"


@pytest.mark.parametrize("tag", TAGS)
def test_pixels_are_those_of_a_timm_tag(tag: str, photographs: list[Path]) -> None:
    cfg = timm.get_pretrained_cfg(tag).to_dict()
    inputs = preprocessing_of({"pretrained_cfg": cfg}, {}, LAYOUT, 3, tag)
    assert_pixels(photographs, inputs, timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=cfg)))


@pytest.mark.parametrize("cfg", WITHOUT_TAG)
def test_pixels_are_those_of_any_timm_configuration(cfg: dict[str, Any], photographs: list[Path]) -> None:
    cfg = {"architecture": "resnet18", **cfg}
    inputs = preprocessing_of(cfg, {}, LAYOUT, 3, "a test")
    assert_pixels(photographs, inputs, timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=cfg)))


@pytest.mark.parametrize(("name", "changes"), PROCESSORS)
def test_pixels_are_those_of_a_processor(name: str, changes: dict[str, Any], photographs: list[Path]) -> None:
    theirs = getattr(transformers, f"{name}ImageProcessorPil")(**changes)
    written = {**changes, "image_processor_type": f"{name}ImageProcessor"}
    for said in (written, theirs.to_dict()):
        inputs = preprocessing_of({"model_type": "vit"}, said, LAYOUT, 3, "a test")
        assert_pixels(
            photographs[:: 1 if said is written else 3], inputs, lambda picture: pixel_values(theirs, picture)
        )


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("convnext_tiny", "ConvNeXt_Tiny_Weights.IMAGENET1K_V1"),
        ("convnext_small", "ConvNeXt_Small_Weights.IMAGENET1K_V1"),
        ("convnext_base", "ConvNeXt_Base_Weights.IMAGENET1K_V1"),
        ("efficientnet_b0", "EfficientNet_B0_Weights.IMAGENET1K_V1"),
        ("efficientnet_b1", "EfficientNet_B1_Weights.IMAGENET1K_V2"),
        ("efficientnet_b2", "EfficientNet_B2_Weights.IMAGENET1K_V1"),
        ("mobilenetv3_large_100", "MobileNet_V3_Large_Weights.IMAGENET1K_V1"),
        ("mobilenetv3_large_100", "MobileNet_V3_Large_Weights.IMAGENET1K_V2"),
        ("resnet18", "ResNet18_Weights.IMAGENET1K_V1"),
        ("resnet50", "ResNet50_Weights.IMAGENET1K_V2"),
    ],
)
def test_pixels_are_those_of_torchvisions_weights(
    name: str, weights: str, photographs: list[Path], tmp_path: Path
) -> None:
    theirs = name.replace("mobilenetv3_large_100", "mobilenet_v3_large")
    published = torchvision.models.get_weight(weights)
    file = tmp_path / f"{Path(published.url).stem}.safetensors"  # which tells weights of one model apart
    save_file(getattr(torchvision.models, theirs)().state_dict(), file)
    inputs = read_config(tmp_path).preprocessing
    assert inputs is not None
    assert_pixels(photographs, inputs, published.transforms())


RECORDED = Path(__file__).parents[1] / "data" / "images" / "recorded_scaling.json"
DRAWN = [(97, 61), (45, 80), (64, 64)]
RECORDED_TAGS = ["resnet18.a1_in1k", "resnet50.bamboo", "convnext_tiny.fb_in22k_ft_in1k_384", "resnet50.a1h_in1k"]


def pattern(width: int, height: int) -> Image.Image:
    """Return a picture on which a shift of one pixel shows."""
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x * 37 + y * 59, x * y * 3, x * x + y * 91], -1).astype(np.uint8))


def recorded() -> dict[str, Any]:
    """Return what the libraries make of patterns: nine pixels of each, as bytes."""
    rows = []
    cfgs = [(tag, timm.get_pretrained_cfg(tag).to_dict()) for tag in RECORDED_TAGS]
    for name, cfg in cfgs + [("a pretrained_cfg", {"architecture": "resnet18", **cfg}) for cfg in WITHOUT_TAG]:
        resolved = timm.data.resolve_data_config(pretrained_cfg=cfg)
        said = {key: value for key, value in cfg.items() if key in ("architecture", *resolved)}
        transform = timm.data.create_transform(**{**resolved, "normalize": False})
        rows.append({"name": name, "config": {"pretrained_cfg": said}, "processor": {}, "pixels": _nine(transform)})
    for name, changes in PROCESSORS:
        theirs = getattr(transformers, f"{name}ImageProcessorPil")(**{**changes, "do_normalize": False})
        theirs.do_rescale = False
        said = {**changes, "image_processor_type": f"{name}ImageProcessor"}
        pixels = _nine(lambda picture, theirs=theirs: pixel_values(theirs, picture))
        rows.append({"name": name, "config": {}, "processor": said, "pixels": pixels})
    source = f"timm {timm.__version__}, transformers {transformers.__version__} (backend pil), Pillow {pillow}"
    return {"source": source, "rows": rows}


def _nine(transform: Any) -> list[Any]:
    found = []
    for size in DRAWN:
        image = transform(pattern(*size))
        rows, columns = ([0, side // 2, side - 1] for side in image.shape[1:])
        found.append(image[:, rows][:, :, columns].int().tolist())
    return found


def test_what_is_recorded_is_what_the_libraries_do() -> None:
    assert json.loads(json.dumps(recorded()))["rows"] == json.loads(RECORDED.read_text())["rows"]


if __name__ == "__main__":
    json.dump(recorded(), sys.stdout)
