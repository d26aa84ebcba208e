"""Photographs of odd sizes become the very pixels of timm, torchvision and transformers: `make test-interop`.

ZOO_PHOTOGRAPHS=200 takes as many, parts of all that lie in the shared data, and 50 for what models predict.

`python tests/interop/test_preprocessing.py` writes what tests/data/images/test_scaling.py compares with in `make test`.
"""

import itertools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from PIL import __version__ as pillow
from safetensors.torch import save_file

import zoo
from zoo.data.images.pictures import decode_all
from zoo.data.images.scaling import scaling_of
from zoo.weights.config import read_config
from zoo.weights.folder import save_weights
from zoo.weights.foreign.config_files import preprocessing_of

timm = pytest.importorskip("timm", reason="needs timm: make test-interop")
transformers = pytest.importorskip("transformers", reason="needs transformers: make test-interop")
torchvision = pytest.importorskip("torchvision", reason="needs torchvision: make test-interop")

LABELS = ("ant", "bee", "cat", "dog", "elk")
LAYOUT = zoo.Layout(library="", models={}, stem="", classifier="")
SHARED = Path(os.environ.get("ZOO_DATA", Path(__file__).parents[3] / "shared" / "data"))
COUNT = int(os.environ.get("ZOO_PHOTOGRAPHS", "8"))
SIZES = [(640, 427), (333, 500), (257, 311), (90, 413), (1501, 997), (224, 224), (61, 47), (800, 301)]
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


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return photographs of odd sizes as JPEG and PNG: parts of real ones, or where there are none of a drawn one."""
    folder = tmp_path_factory.mktemp("photographs")
    found = [
        path for place in ("coco32/train2017", "bccd/BCCD/JPEGImages", "camvid/CamVid/test") for path in _in(place)
    ]
    real = itertools.cycle(found[:: max(1, len(found) // COUNT)] or [None])
    random = np.random.default_rng(0)
    paths = []
    for place, path in zip(range(COUNT), real, strict=False):
        picture = _drawn() if path is None else Image.open(path).convert("RGB")
        if place < len(SIZES):
            picture = picture.resize(SIZES[place], Image.Resampling.LANCZOS)
        else:
            width, height = (int(random.integers(31, side)) for side in picture.size)
            left, top = int(random.integers(0, picture.width - width)), int(random.integers(0, picture.height - height))
            picture = picture.crop((left, top, left + width, top + height))
        paths.append(folder / f"{place}.{'png' if place % 3 else 'jpg'}")
        picture.save(paths[-1])
    return paths


def _in(place: str) -> list[Path]:
    return sorted((SHARED / place).glob("*.jpg"))


def oblong(paths: list[Path]) -> list[Path]:
    """Return up to 50 of the photographs, without those that are square."""
    found = []
    for path in paths:
        with Image.open(path) as picture:
            if picture.width != picture.height:
                found.append(path)
    return found[:50]


def _drawn() -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    return Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC)


def of_ours(paths: list[Path], inputs: zoo.Preprocessing) -> Iterator[torch.Tensor]:
    pixels, bad = decode_all(paths, inputs.image_size, inputs.channels, scaling=scaling_of(inputs))
    assert not bad
    yield from zoo.normalize(torch.from_numpy(pixels).float() / 255, inputs)


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
            photographs[:: 1 if said is written else 3], inputs, lambda picture: _pixel_values(theirs, picture)
        )


def _pixel_values(processor: Any, picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(processor(picture, return_tensors="np")["pixel_values"][0]))


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("convnext_tiny", "ConvNeXt_Tiny_Weights.IMAGENET1K_V1"),
        ("convnext_small", "ConvNeXt_Small_Weights.IMAGENET1K_V1"),
        ("convnext_base", "ConvNeXt_Base_Weights.IMAGENET1K_V1"),
        ("efficientnet_b0", "EfficientNet_B0_Weights.IMAGENET1K_V1"),
        ("mobilenetv3_large_100", "MobileNet_V3_Large_Weights.IMAGENET1K_V1"),
    ],
)
def test_pixels_are_those_of_torchvisions_weights(
    name: str, weights: str, photographs: list[Path], tmp_path: Path
) -> None:
    theirs = name.replace("mobilenetv3_large_100", "mobilenet_v3_large")
    save_file(getattr(torchvision.models, theirs)().state_dict(), tmp_path / "theirs.safetensors")
    inputs = read_config(tmp_path).preprocessing
    assert inputs is not None
    assert_pixels(photographs, inputs, torchvision.models.get_weight(weights).transforms())


WAYS: dict[str, Any] = {
    "as we train": {},
    "stretched and cut": {"crop": 0.8, "crop_mode": "squash"},
    "center": {"crop": 0.96, "crop_mode": "center"},
}


@pytest.mark.parametrize("library", ["timm", "transformers", "torchvision"])
@pytest.mark.parametrize(("name", "way"), [*(("resnet18", way) for way in WAYS), ("convnext_tiny", "as we train")])
def test_an_export_predicts_from_files_as_ours(
    name: str, library: str, way: str, photographs: list[Path], tmp_path: Path, randomised: Any
) -> None:
    model = randomised(zoo.create(name, num_classes=5))
    size = (96, 96) if way == "center" else (96, 64)
    inputs = zoo.Preprocessing(image_size=size, channels=3, mean=(0.4, 0.5, 0.3), std=(0.3, 0.2, 0.3), **WAYS[way])
    save_weights(tmp_path / "ours", model, model_name=name, arguments={"num_classes": 5}, labels=LABELS, inputs=inputs)
    out = zoo.export(tmp_path / "ours", to=library, out=tmp_path / "theirs")
    opened, transform = _OPENED[library](out)
    paths = [path for path in oblong(photographs) if way != "center" or _middle_is_one(path)]
    mine = torch.stack(list(of_ours(paths, inputs)))
    with torch.no_grad():
        pictures = torch.stack([transform(Image.open(path).convert("RGB")) for path in paths])
        logits, ours = opened.eval()(pictures), model(mine)
    logits = getattr(logits, "logits", logits)
    assert float((logits - ours).abs().max() / ours.abs().max()) < 1e-4
    predicted = zoo.load(tmp_path / "ours").predict(paths)
    for found, expected in zip(predicted, logits.softmax(1), strict=True):
        best = found["predictions"][0]
        assert best["label"] == LABELS[int(expected.argmax())]
        assert best["score"] == pytest.approx(float(expected.max()), abs=1e-4)


@pytest.mark.parametrize("name", ["resnet18", "convnext_tiny"])
@pytest.mark.parametrize("library", ["timm", "transformers", "torchvision"])
def test_theirs_predict_from_files_as_there(
    library: str, name: str, photographs: list[Path], tmp_path: Path, randomised: Any
) -> None:
    theirs, transform = _MADE[library](name, tmp_path / "theirs", randomised)
    paths = oblong(photographs)
    with torch.no_grad():
        logits = theirs(torch.stack([transform(Image.open(path).convert("RGB")) for path in paths]))
    logits = getattr(logits, "logits", logits)
    ours = zoo.load(tmp_path / "theirs")
    inputs = read_config(tmp_path / "theirs").preprocessing
    assert inputs is not None
    with torch.no_grad():
        mine = ours(torch.stack(list(of_ours(paths, inputs))))
    assert float((mine - logits).abs().max() / logits.abs().max()) < 1e-4
    if not (labels := read_config(tmp_path / "theirs").labels):
        assert library == "torchvision", "whose files name no classes"
        return
    for found, expected in zip(ours.predict(paths), logits.softmax(1), strict=True):
        best = found["predictions"][0]
        assert best["label"] == labels[int(expected.argmax())]
        assert best["score"] == pytest.approx(float(expected.max()), abs=1e-4)


def _of_timm(name: str, out: Path, randomised: Any) -> tuple[Any, Any]:
    model = randomised(timm.create_model(name, num_classes=5))
    config = {**model.pretrained_cfg, "num_classes": 5, "label_names": list(LABELS), "crop_pct": 0.95}
    timm.models.save_for_hf(model, out, model_config={**config}, safe_serialization=True)
    said = json.loads((out / "config.json").read_text())["pretrained_cfg"]
    return model, timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=said))


def _of_transformers(name: str, out: Path, randomised: Any) -> tuple[Any, Any]:
    kinds = {"resnet18": "ResNet", "convnext_tiny": "ConvNext"}
    sizes = {"resnet18": {"layer_type": "basic", "depths": [2, 2, 2, 2], "hidden_sizes": [64, 128, 256, 512]}}
    config = getattr(transformers, f"{kinds[name]}Config")(**sizes.get(name, {}), id2label=dict(enumerate(LABELS)))
    model = randomised(getattr(transformers, f"{kinds[name]}ForImageClassification")(config))
    processor = transformers.ConvNextImageProcessorPil(size={"shortest_edge": 160}, crop_pct=0.9)
    model.save_pretrained(out)
    processor.save_pretrained(out)
    processor = transformers.AutoImageProcessor.from_pretrained(out, backend="pil")
    return model, lambda picture: _pixel_values(processor, picture)


def _of_torchvision(name: str, out: Path, randomised: Any) -> tuple[Any, Any]:
    weights = {"resnet18": "ResNet18_Weights.IMAGENET1K_V1", "convnext_tiny": "ConvNeXt_Tiny_Weights.IMAGENET1K_V1"}
    model = randomised(getattr(torchvision.models, name)())
    out.mkdir()
    save_file(model.state_dict(), out / "model.safetensors")
    return model, torchvision.models.get_weight(weights[name]).transforms()


_MADE = {"timm": _of_timm, "transformers": _of_transformers, "torchvision": _of_torchvision}


def _middle_is_one(path: Path) -> bool:
    """Tell whether rounding and flooring find the same middle of a photograph whose short side is scaled to 100."""
    with Image.open(path) as picture:
        long = int(100 * max(picture.size) / min(picture.size))
    return (long - 96) % 4 != 3


def _with_timm(out: Path) -> tuple[Any, Any]:
    model = timm.create_model(f"local-dir:{out}", pretrained=True)
    return model, timm.data.create_transform(**timm.data.resolve_model_data_config(model))


def _with_transformers(out: Path) -> tuple[Any, Any]:
    processor = transformers.AutoImageProcessor.from_pretrained(out, backend="pil")
    model = transformers.AutoModelForImageClassification.from_pretrained(out)
    return model, lambda picture: _pixel_values(processor, picture)


def _with_torchvision(out: Path) -> tuple[Any, Any]:
    """Run what README.md says."""
    code = (out / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(code.replace('"model.safetensors"', repr(str(out / "model.safetensors"))), names)
    return names["model"], names["transform"]


_OPENED = {"timm": _with_timm, "transformers": _with_transformers, "torchvision": _with_torchvision}


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
        pixels = _nine(lambda picture, theirs=theirs: _pixel_values(theirs, picture))
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
