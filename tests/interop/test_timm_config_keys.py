"""A config.json of timm with any key left out, or changed, gives timm's logits and inputs, or is refused by name."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.data.images.pictures import decode_all
from zoo.data.images.scaling import scaling_of
from zoo.weights.config import read_config

timm = pytest.importorskip("timm", reason="needs timm beside torchvision: make test-interop")

KINDS: dict[str, dict[str, Any]] = {
    "mobilenetv3_small_100": {"bn_eps": 1e-3},
    "convnext_atto": {},
    "vit_tiny_patch16_224": {"depth": 2, "embed_dim": 48, "num_heads": 3},
}
LABELS = ["ant", "bee", "cat", "dog", "eel"]
ROOT: dict[str, list[Any]] = {
    "architecture": ["resnet18"],
    "num_classes": [6, 0],
    "num_features": [7],
    "global_pool": ["max", "avg", "token", ""],
    "label_names": [["a", "b", "c", "d", "e"], ["a", "b"]],
    "label_descriptions": [{"ant": "an insect"}],
    "model_args": [{"drop_rate": 0.5}, {"num_classes": 5}, {"in_chans": 1}, {"global_pool": "max"}],
}
CFG: dict[str, list[Any]] = {
    "input_size": [[3, 64, 64], [1, 224, 224]],
    "test_input_size": [[3, 288, 288]],
    "fixed_input_size": [True, False],
    "interpolation": ["bilinear", "random"],
    "crop_pct": [1.0, 0.5],
    "test_crop_pct": [1.0],
    "crop_mode": ["squash", "border", "center"],
    "mean": [[0.5, 0.5, 0.5]],
    "std": [[0.5, 0.5, 0.5]],
    "num_classes": [6, 1000],
    "label_offset": [1, 0],
    "global_pool": ["max"],
    "pool_size": [[7, 7], None],
    "first_conv": ["other"],
    "classifier": ["other"],
    "custom_load": [True],
    "license": ["mit"],
    "tag": ["in1k"],
}
OF_INPUTS = {"crop_pct=1.0 crop_mode=squash": {"crop_pct": 1.0, "crop_mode": "squash"}}


def cases() -> Iterator[Any]:
    for kind in KINDS:
        for inner, table in ((False, ROOT), (True, CFG)):
            for key, values in table.items():
                place = f"{kind}-{'pretrained_cfg.' if inner else ''}{key}"
                yield pytest.param(kind, inner, {key: ...}, id=f"{place}-left-out")
                for value in values:
                    yield pytest.param(kind, inner, {key: value}, id=f"{place}-{value}")
        yield pytest.param(kind, False, {"pretrained_cfg": ...}, id=f"{kind}-pretrained_cfg-left-out")
        for name, changes in OF_INPUTS.items():
            yield pytest.param(kind, True, changes, id=f"{kind}-pretrained_cfg.{name}")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write one model of each kind, as timm does."""
    folders = {}
    for kind, arguments in KINDS.items():
        torch.manual_seed(0)
        model = timm.create_model(kind, num_classes=len(LABELS), **arguments)
        folders[kind] = tmp_path_factory.mktemp(kind)
        timm.models.save_for_hf(
            model, folders[kind], safe_serialization=True, model_args=arguments, model_config={"label_names": LABELS}
        )
    return folders


def opened(folder: Path) -> Any:
    """Return what timm makes of a folder; None where it makes nothing, or draws weights at random."""
    torch.manual_seed(1)
    try:
        first = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
        torch.manual_seed(2)
        again = timm.create_model(f"local-dir:{folder}", pretrained=True)
    except Exception:  # the library raises all kinds
        return None
    pairs = zip(first.state_dict().values(), again.state_dict().values(), strict=True)
    return first if all(torch.equal(one, other) for one, other in pairs) else None


def assert_same_inputs(folder: Path, theirs: Any, picture: Path) -> None:
    """Compare what both feed the model of a wide picture: they round otherwise, by a level or two."""
    inputs: Any = read_config(folder).preprocessing
    wanted = timm.data.resolve_data_config({}, model=theirs)
    assert (inputs.channels, *inputs.image_size) == tuple(wanted["input_size"])
    transform = timm.data.create_transform(**wanted)
    channels = "RGB" if inputs.channels == 3 else "L"
    with Image.open(picture) as opened_picture:
        other = transform(opened_picture.convert(channels)).numpy()
    (pixels,), _ = decode_all([picture], inputs.image_size, inputs.channels, scaling=scaling_of(inputs))
    mean, std = (np.asarray(values, np.float32)[:, None, None] for values in (inputs.mean, inputs.std))
    mine = (np.asarray(pixels, np.float32) / 255 - mean) / std
    assert np.abs(mine - other).mean() < 0.03


@pytest.mark.parametrize(("kind", "inner", "changes"), cases())
def test_139_every_key_of_timm(
    kind: str, inner: bool, changes: dict[str, Any], written: dict[str, Path], tmp_path: Path
) -> None:
    config = json.loads((written[kind] / "config.json").read_text())
    block = config["pretrained_cfg"] if inner else config
    for key, value in changes.items():
        if value is ...:
            block.pop(key, None)
        else:
            block[key] = {**block.get(key, {}), **value} if key == "model_args" else value
    (tmp_path / "model.safetensors").symlink_to(written[kind] / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(config))
    theirs = opened(tmp_path)
    try:
        ours: Any = zoo.load(tmp_path).eval()
    except zoo.ZooError as error:
        inside = [name for value in changes.values() if isinstance(value, dict) for name in value]
        named = {*changes, *inside, *({"classes"} if {"num_classes", "label_names"} & set(changes) else ())}
        assert theirs is None or any(key in str(error) for key in named), f"{error} does not name {changes}"
        return
    compared = theirs is not None
    if theirs is None:  # the tensors told what config.json does not
        theirs = opened(written[kind])
    noise = np.random.default_rng(0).integers(0, 255, (2, 3, 3), np.uint8)
    Image.fromarray(noise).resize((300, 200), Image.Resampling.BICUBIC).save(tmp_path / "wide.png")
    size = theirs.patch_embed.img_size if "vit" in kind else (64, 64)
    images = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        mine, other = ours(images), theirs(images)
    assert float((mine - other).abs().max() / other.abs().max()) < 1e-4
    if compared:
        assert_same_inputs(tmp_path, theirs, tmp_path / "wide.png")
