"""timm's weights are ours and ours are timm's, in every architecture, with equal logits: `make test-interop`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import zoo
from zoo.weights.config import read_config

timm = pytest.importorskip("timm", reason="needs timm beside torchvision: make test-interop")
pytest.importorskip("transformers", reason="needs transformers: make test-interop")

NAMES = [name for name in zoo.list_models(family="cnn") if name in timm.list_models()]
SMALLEST = ["resnet18", "convnext_atto", "mobilenetv3_small_100", "efficientnet_b0"]


@pytest.mark.parametrize("name", NAMES)
def test_their_repo_loads(name: str, tmp_path: Path, randomised: Any, assert_alike: Any) -> None:
    model = randomised(timm.create_model(name, num_classes=7))
    labels = [f"class {place}" for place in range(7)]
    timm.models.save_for_hf(model, tmp_path, safe_serialization=True, model_config={"label_names": labels})
    assert_alike(zoo.load(tmp_path), model)
    block, cfg = read_config(tmp_path), model.pretrained_cfg
    assert block.labels == tuple(labels)
    inputs = block.preprocessing
    assert inputs is not None
    assert (3, *inputs.image_size) == cfg["input_size"]
    assert (inputs.mean, inputs.std) == (cfg["mean"], cfg["std"])
    assert (inputs.crop, inputs.interpolation) == (cfg["crop_pct"], cfg["interpolation"])


@pytest.mark.parametrize("name", NAMES)
def test_their_file_alone_is_recognised(name: str, tmp_path: Path, randomised: Any, assert_alike: Any) -> None:
    model = randomised(timm.create_model(name))
    save_file(model.state_dict(), tmp_path / "theirs.safetensors")
    assert_alike(zoo.load(tmp_path / "theirs.safetensors"), model)
    assert read_config(tmp_path / "theirs.safetensors").architecture == name


@pytest.mark.parametrize("name", NAMES)
def test_ours_exported_opens(name: str, tmp_path: Path, saved: Any, assert_alike: Any) -> None:
    folder, model = saved(name)
    out = zoo.export(folder, to="timm", out=tmp_path / "timm")
    assert_alike(model, timm.create_model(f"local-dir:{out}", pretrained=True))
    assert_alike(model, zoo.load(out))


@pytest.mark.parametrize("name", SMALLEST)
def test_transformers_opens_what_is_for_timm(name: str, tmp_path: Path, saved: Any, assert_alike: Any) -> None:
    from transformers import AutoModelForImageClassification

    folder, model = saved(name)
    out = zoo.export(folder, to="timm", out=tmp_path / "timm")
    theirs = AutoModelForImageClassification.from_pretrained(out)
    assert_alike(model, theirs)
    assert theirs.config.id2label == dict(enumerate(read_config(folder).labels))


@pytest.mark.parametrize("name", SMALLEST)
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_other_channels_adapt_the_stem_by_their_rule(
    name: str, channels: int, tmp_path: Path, randomised: Any, assert_alike: Any
) -> None:
    timm.models.save_for_hf(randomised(timm.create_model(name)), tmp_path, safe_serialization=True)
    theirs = timm.create_model(f"local-dir:{tmp_path}", pretrained=True, in_chans=channels)
    inputs = torch.randn(2, channels, 96, 96, generator=torch.Generator().manual_seed(0))
    assert_alike(zoo.load(tmp_path, channels=channels), theirs, inputs)


@pytest.mark.parametrize("channels", [1, 4])
def test_ours_of_other_channels_opens(channels: int, tmp_path: Path, saved: Any, assert_alike: Any) -> None:
    folder, model = saved("resnet18", channels=channels)
    out = zoo.export(folder, to="timm", out=tmp_path / "timm")
    inputs = torch.randn(2, channels, 96, 96, generator=torch.Generator().manual_seed(0))
    assert_alike(model, timm.create_model(f"local-dir:{out}", pretrained=True), inputs)


def test_without_a_head(tmp_path: Path, randomised: Any, assert_alike: Any) -> None:
    model = randomised(timm.create_model("resnet18", num_classes=0))
    timm.models.save_for_hf(model, tmp_path, safe_serialization=True)
    ours = zoo.load(tmp_path)
    assert_alike(ours, model)
    assert ours.num_classes == 0


@pytest.mark.parametrize("name", NAMES)
def test_stages_are_theirs(name: str) -> None:
    theirs = [(info["num_chs"], info["reduction"]) for info in timm.create_model(name).feature_info]
    assert [(info.channels, info.reduction) for info in zoo.create(name).feature_info] == theirs


@pytest.mark.parametrize("name", SMALLEST)
def test_maps_are_theirs(name: str, tmp_path: Path, saved: Any, pictures: torch.Tensor) -> None:
    folder, model = saved(name)
    out = zoo.export(folder, to="timm", out=tmp_path / "timm")
    theirs = timm.create_model(f"local-dir:{out}", pretrained=True).eval()
    with torch.no_grad():
        mine, other = (net.forward_intermediates(pictures, intermediates_only=True) for net in (model, theirs))
    assert len(mine) == len(other)
    assert all(float((a - b).abs().max() / b.abs().max()) < 1e-4 for a, b in zip(mine, other, strict=True))


@pytest.mark.parametrize("name", [*NAMES, "vit_tiny_patch16_224", "vit_large_patch16_224"])
def test_every_parameter_learns_at_their_rate(name: str) -> None:
    theirs, ours = timm.create_model(name), zoo.create(name)
    spared = theirs.no_weight_decay() if hasattr(theirs, "no_weight_decay") else ()
    optim = pytest.importorskip("timm.optim")
    by_them = optim.param_groups_layer_decay(theirs, 0.05, spared, layer_decay=0.75)
    settings = zoo.FinetuneSettings(learning_rate=1.0, weight_decay=0.05)
    by_us = zoo.parameter_groups(ours, settings, layer_decay=0.75)
    found = {id(item): (group["lr"], group["weight_decay"]) for group in by_us for item in group["params"]}
    expected = {id(item): (group["lr_scale"], group["weight_decay"]) for group in by_them for item in group["params"]}
    names = dict(ours.named_parameters())
    assert set(names) == {key for key, _ in theirs.named_parameters()}
    for key, parameter in theirs.named_parameters():
        assert found[id(names[key])] == pytest.approx(expected[id(parameter)], rel=1e-9), key


_OPEN = """
import json, sys, timm, torch
model = timm.create_model("hf-hub:" + sys.argv[1], pretrained=True).eval()
inputs = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
print(json.dumps(model(inputs).tolist()))
"""


@pytest.mark.parametrize("name", SMALLEST)
def test_pushed_for_timm_opens_from_the_hub(
    name: str, tmp_path: Path, saved: Any, served_hub: Any, pictures: torch.Tensor
) -> None:
    folder, model = saved(name)
    zoo.push(folder, "tester/model", hub=served_hub.url, private=True, library="timm")
    environment = {**os.environ, "HF_ENDPOINT": served_hub.url, "HF_TOKEN": served_hub.token}
    command = [sys.executable, "-W", "ignore", "-c", _OPEN, "tester/model"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    theirs = torch.tensor(json.loads(done.stdout))
    with torch.no_grad():
        assert torch.allclose(model(pictures), theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))
