"""timm's and transformers' vision transformers are ours and ours theirs, with equal logits: `make test-interop`."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import zoo
from zoo.weights.config import read_config

timm = pytest.importorskip("timm", reason="needs timm beside torchvision: make test-interop")
transformers = pytest.importorskip("transformers", reason="needs transformers: make test-interop")

VITS = {
    "vit_tiny_patch16_224": (192, 12, 3),
    "vit_small_patch16_224": (384, 12, 6),
    "vit_base_patch16_224": (768, 12, 12),
    "vit_large_patch16_224": (1024, 24, 16),
}
TINY = "vit_tiny_patch16_224"
LABELS = {0: "ant", 1: "bee", 2: "cat"}


@pytest.fixture
def squares() -> torch.Tensor:
    """Return two pictures of the size that the table of positions fits."""
    return torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))


def made(name: str, **changes: Any) -> Any:
    """Return transformers' model of this name with random weights."""
    width, depth, num_heads = VITS[name]
    sizes = {"hidden_size": width, "num_hidden_layers": depth, "num_attention_heads": num_heads}
    sizes |= {"intermediate_size": 4 * width, "id2label": LABELS, **changes}
    return transformers.ViTForImageClassification(transformers.ViTConfig(**sizes))


@pytest.mark.parametrize("name", VITS)
def test_timms_repo_loads(name: str, tmp_path: Path, squares: Any, randomised: Any, assert_alike: Any) -> None:
    arguments = {} if name == TINY else {"depth": 2}  # the others are as one, but take long
    model = randomised(timm.create_model(name, num_classes=7, **arguments))
    timm.models.save_for_hf(model, tmp_path, safe_serialization=True, model_args=arguments)
    assert_alike(zoo.load(tmp_path), model, squares)
    block, cfg = read_config(tmp_path), model.pretrained_cfg
    assert block.architecture == name
    inputs = block.preprocessing
    assert inputs is not None
    assert (inputs.mean, inputs.std, inputs.crop) == (cfg["mean"], cfg["std"], cfg["crop_pct"])


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "vit_small_patch16_224"])
def test_timms_file_alone_is_recognised(
    name: str, tmp_path: Path, squares: Any, randomised: Any, assert_alike: Any
) -> None:
    model = randomised(timm.create_model(name))
    save_file(model.state_dict(), tmp_path / "theirs.safetensors")
    assert_alike(zoo.load(tmp_path / "theirs.safetensors"), model, squares)
    block, cfg = read_config(tmp_path / "theirs.safetensors"), model.pretrained_cfg
    assert block.architecture == name
    assert block.preprocessing is not None
    assert (block.preprocessing.mean, block.preprocessing.crop) == (cfg["mean"], cfg["crop_pct"])


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"pool": "avg"},
        {"pool": "avg", "class_token": False, "qkv_bias": False},
        {"image_size": 64, "patch_size": 8, "channels": 1, "depth": 3, "width": 96},
    ],
)
def test_ours_exported_opens_with_timm(
    arguments: dict[str, Any], tmp_path: Path, saved: Any, assert_alike: Any
) -> None:
    folder, model = saved(TINY, **arguments)
    out = zoo.export(folder, to="timm", out=tmp_path / "timm")
    side = arguments.get("image_size", 224)
    inputs = torch.randn(2, arguments.get("channels", 3), side, side, generator=torch.Generator().manual_seed(0))
    assert_alike(model, timm.create_model(f"local-dir:{out}", pretrained=True), inputs)
    assert_alike(model, zoo.load(out), inputs)


def test_ours_of_any_size_exported_opens_with_timm(tmp_path: Path, saved: Any, assert_alike: Any) -> None:
    sizes = {"width": 64, "depth": 2, "num_heads": 4, "image_size": 32, "patch_size": 4}
    folder, model = saved("vit", **sizes)
    out = zoo.export(folder, to="timm", out=tmp_path / "timm")
    inputs = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert_alike(model, timm.create_model(f"local-dir:{out}", pretrained=True), inputs)


@pytest.mark.parametrize("size", [(96, 96), (250, 131)])
def test_pictures_of_other_sizes_are_seen_as_timm_does(
    size: tuple[int, int], tmp_path: Path, randomised: Any, assert_alike: Any
) -> None:
    dynamic = {"dynamic_img_size": True, "dynamic_img_pad": True}
    model = randomised(timm.create_model(TINY, **dynamic))
    save_file(model.state_dict(), tmp_path / "theirs.safetensors")
    inputs = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    ours = zoo.load(tmp_path / "theirs.safetensors")
    assert_alike(ours, model, inputs)
    with torch.no_grad():
        mine, other = (net.forward_intermediates(inputs, intermediates_only=True) for net in (ours, model))
    assert all(float((a - b).abs().max() / b.abs().max()) < 1e-4 for a, b in zip(mine, other, strict=True))
    theirs = [(info["num_chs"], info["reduction"]) for info in model.feature_info]
    assert [(info.channels, info.reduction) for info in ours.feature_info] == theirs


@pytest.mark.parametrize("name", VITS)
def test_transformers_repo_loads(name: str, tmp_path: Path, squares: Any, randomised: Any, assert_alike: Any) -> None:
    changes = {} if name == TINY else {"num_hidden_layers": 2}
    model = randomised(made(name, **changes))
    model.save_pretrained(tmp_path)
    transformers.ViTImageProcessor(size={"height": 224, "width": 224}, image_mean=[0.1, 0.2, 0.3]).save_pretrained(
        tmp_path
    )
    assert_alike(zoo.load(tmp_path), model, squares)
    block = read_config(tmp_path)
    assert (block.architecture, block.labels) == ("vit" if changes else name, tuple(LABELS.values()))
    inputs = block.preprocessing
    assert inputs is not None
    assert (inputs.image_size, inputs.crop, inputs.mean) == ((224, 224), 1.0, (0.1, 0.2, 0.3))


def test_a_transformers_file_alone_is_recognised(
    tmp_path: Path, squares: Any, randomised: Any, assert_alike: Any
) -> None:
    """As google/vit-base-patch16-224 is pinned: without config.json."""
    model = randomised(made(TINY))
    model.save_pretrained(tmp_path)
    ours = zoo.load(tmp_path / "model.safetensors")
    assert read_config(tmp_path / "model.safetensors").architecture == TINY
    assert_alike(ours, model, squares)


@pytest.mark.parametrize("name", [TINY, "vit"])
def test_ours_exported_opens_with_transformers(name: str, tmp_path: Path, saved: Any, assert_alike: Any) -> None:
    sizes = {"width": 64, "depth": 2, "num_heads": 4, "mlp_width": 96} if name == "vit" else {}
    folder, model = saved(name, image_size=64, patch_size=16, **sizes)
    out = zoo.export(folder, to="transformers", out=tmp_path / "theirs")
    theirs = transformers.AutoModelForImageClassification.from_pretrained(out)
    assert type(theirs).__name__ == "ViTForImageClassification"
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert_alike(model, theirs, inputs)
    assert theirs.config.id2label == dict(enumerate(read_config(folder).labels))
    assert_alike(model, zoo.load(out), inputs)
    assert json.loads((out / "preprocessor_config.json").read_bytes())["crop_size"] == {"height": 96, "width": 96}


def test_a_transformers_model_without_a_head(tmp_path: Path, squares: Any, randomised: Any) -> None:
    model = randomised(made(TINY)).vit
    model.save_pretrained(tmp_path)
    ours = zoo.load(tmp_path)
    assert ours.num_classes == 0
    with torch.no_grad():
        mine, other = ours.forward_features(squares), model(squares).last_hidden_state
    assert float((mine - other).abs().max() / other.abs().max()) < 1e-4


def test_what_transformers_cannot_build_is_refused(tmp_path: Path, saved: Any) -> None:
    folder, _ = saved(TINY, image_size=32, pool="avg")
    with pytest.raises(zoo.UsageError, match="has pool='token', these weights have 'avg'"):
        zoo.export(folder, to="transformers", out=tmp_path / "theirs")
