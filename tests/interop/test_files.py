"""Models predict the same from files, ours opened by other libraries and theirs by us: `make test-interop`.

`ZOO_PHOTOGRAPHS=200` takes 50 photographs that are not square; without it there are seven.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import zoo
from tests.interop.photographs import oblong, of_ours, pixel_values
from zoo.weights.config import read_config
from zoo.weights.folder import save_weights

timm = pytest.importorskip("timm", reason="needs timm: make test-interop")
transformers = pytest.importorskip("transformers", reason="needs transformers: make test-interop")
torchvision = pytest.importorskip("torchvision", reason="needs torchvision: make test-interop")

LABELS = ("ant", "bee", "cat", "dog", "elk")
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


@pytest.mark.parametrize(
    ("library", "name"),
    [
        *((library, name) for library in ("timm", "transformers") for name in ("resnet18", "convnext_tiny")),
        # timm and torchvision name a ResNet.s tensors alike: what the file is called tells whose pixels it takes
        *(("torchvision", name) for name in ("convnext_tiny", "efficientnet_b0", "resnet18")),
    ],
)
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
    return model, lambda picture: pixel_values(processor, picture)


def _of_torchvision(name: str, out: Path, randomised: Any) -> tuple[Any, Any]:
    known = {
        "efficientnet_b0": "EfficientNet_B0_Weights.IMAGENET1K_V1",
        "convnext_tiny": "ConvNeXt_Tiny_Weights.IMAGENET1K_V1",
        "resnet18": "ResNet18_Weights.IMAGENET1K_V1",
    }
    weights = torchvision.models.get_weight(known[name])
    model = randomised(getattr(torchvision.models, name)())
    out.mkdir()
    save_file(model.state_dict(), out / f"{Path(weights.url).stem}.safetensors")
    return model, weights.transforms()


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
    return model, lambda picture: pixel_values(processor, picture)


def _with_torchvision(out: Path) -> tuple[Any, Any]:
    """Run what README.md says."""
    code = (out / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(code.replace('"model.safetensors"', repr(str(out / "model.safetensors"))), names)
    return names["model"], names["transform"]


_OPENED = {"timm": _with_timm, "transformers": _with_transformers, "torchvision": _with_torchvision}
