"""torchvision's weights load by their tensors' names alone, and ours open there: `make test-interop`."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

import zoo
from zoo.registry.registry import default_registry
from zoo.weights.build import load_layouts
from zoo.weights.config import read_config

torchvision = pytest.importorskip("torchvision", reason="needs torchvision: make test-interop")

NAMES = {
    **{name: name for name in ("resnet18", "resnet34", "resnet50", "resnet101")},
    **{name: name for name in ("convnext_tiny", "convnext_small", "convnext_base")},
    **{f"efficientnet_b{size}": f"efficientnet_b{size}" for size in range(4)},
    **{name: name for name in ("vgg16", "vgg16_bn")},
    "mobilenetv2_100": "mobilenet_v2",
    "mobilenetv3_small_100": "mobilenet_v3_small",
    "mobilenetv3_large_100": "mobilenet_v3_large",
}
FIXED: dict[str, dict[str, Any]] = {"mobilenetv3": {"norm_eps": 1e-3}, "vgg": {"fixed_map": True}}
"""What torchvision's models have otherwise than ours do unless told."""


@pytest.mark.parametrize(("name", "theirs"), NAMES.items())
def test_their_file_loads(name: str, theirs: str, tmp_path: Path, randomised: Any, assert_alike: Any) -> None:
    model = randomised(getattr(torchvision.models, theirs)(num_classes=7))
    save_file(model.state_dict(), tmp_path / "theirs.safetensors")
    ours = zoo.load(tmp_path)
    assert_alike(ours, model)
    assert ours.num_classes == 7
    assert read_config(tmp_path).architecture == name


@pytest.mark.parametrize(("name", "theirs"), NAMES.items())
def test_every_file_that_they_publish_is_scaled_as_there(name: str, theirs: str) -> None:
    (layout,) = (
        layout
        for layout in load_layouts(default_registry().model(name))
        if layout.library == "torchvision" and name in layout.models
    )
    for weights in torchvision.models.get_model_weights(theirs):
        inputs, transform = replace(layout, **layout.files.get(Path(weights.url).stem, {})), weights.transforms()
        resized = [math.floor(side / inputs.crop) for side in inputs.image_size]
        assert (inputs.image_size, resized) == (tuple(transform.crop_size * 2), transform.resize_size * 2), weights
        assert (inputs.interpolation, inputs.crop_mode) == (transform.interpolation.value, "center"), weights
        assert (list(inputs.mean), list(inputs.std)) == (transform.mean, transform.std), weights


@pytest.mark.parametrize(("name", "theirs"), NAMES.items())
def test_ours_exported_opens(name: str, theirs: str, tmp_path: Path, saved: Any, assert_alike: Any) -> None:
    folder, model = saved(name, **next((said for start, said in FIXED.items() if name.startswith(start)), {}))
    out = zoo.export(folder, to="torchvision", out=tmp_path / "torchvision")
    opened = getattr(torchvision.models, theirs)(num_classes=5)
    opened.load_state_dict(load_file(out / "model.safetensors"))
    assert_alike(model, opened)
    assert f"torchvision.models.{theirs}(num_classes=5)" in (out / "README.md").read_text()


def test_what_torchvision_cannot_build_is_refused(tmp_path: Path, saved: Any) -> None:
    folder, _ = saved("mobilenetv3_small_100")
    with pytest.raises(zoo.UsageError, match=r"torchvision's mobilenetv3_small_100 has norm_eps=0\.001"):
        zoo.export(folder, to="torchvision", out=tmp_path / "torchvision")
