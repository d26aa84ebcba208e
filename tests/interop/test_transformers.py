"""transformers' ResNet and ConvNeXt are ours and ours theirs, with head and preprocessing: `make test-interop`."""

from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.weights.config import read_config

transformers = pytest.importorskip("transformers", reason="needs transformers: make test-interop")
pytest.importorskip("torchvision", reason="needs torchvision: make test-interop")

CONVNEXTS = {
    "convnext_atto": ([2, 2, 6, 2], [40, 80, 160, 320]),
    "convnext_femto": ([2, 2, 6, 2], [48, 96, 192, 384]),
    "convnext_pico": ([2, 2, 6, 2], [64, 128, 256, 512]),
    "convnext_nano": ([2, 2, 8, 2], [80, 160, 320, 640]),
    "convnext_tiny": ([3, 3, 9, 3], [96, 192, 384, 768]),
    "convnext_small": ([3, 3, 27, 3], [96, 192, 384, 768]),
    "convnext_base": ([3, 3, 27, 3], [128, 256, 512, 1024]),
}
RESNETS = {
    "resnet18": ("basic", [2, 2, 2, 2]),
    "resnet34": ("basic", [3, 4, 6, 3]),
    "resnet50": ("bottleneck", [3, 4, 6, 3]),
    "resnet101": ("bottleneck", [3, 4, 23, 3]),
}
LABELS = {0: "ant", 1: "bee", 2: "cat"}


def made(name: str, **changes: Any) -> Any:
    """Return transformers' model of this name with random weights."""
    if name in CONVNEXTS:
        depths, widths = CONVNEXTS[name]
        config = transformers.ConvNextConfig(depths=depths, hidden_sizes=widths, id2label=LABELS, **changes)
        return transformers.ConvNextForImageClassification(config)
    kind, depths = RESNETS[name]
    widths = [64, 128, 256, 512] if kind == "basic" else [256, 512, 1024, 2048]
    changes = {"layer_type": kind, "depths": depths, "hidden_sizes": widths, "id2label": LABELS, **changes}
    return transformers.ResNetForImageClassification(transformers.ResNetConfig(**changes))


@pytest.mark.parametrize("name", [*RESNETS, *CONVNEXTS])
def test_their_repo_loads(name: str, tmp_path: Path, randomised: Any, assert_alike: Any) -> None:
    model = randomised(made(name))
    model.save_pretrained(tmp_path)
    processor = transformers.ConvNextImageProcessor(
        size={"shortest_edge": 160}, crop_pct=0.8, image_mean=[0.1, 0.2, 0.3]
    )
    processor.save_pretrained(tmp_path)
    assert_alike(zoo.load(tmp_path), model)
    block = read_config(tmp_path)
    assert (block.architecture, block.labels) == (name, tuple(LABELS.values()))
    inputs = block.preprocessing
    assert inputs is not None
    assert (inputs.image_size, inputs.crop, inputs.mean) == ((160, 160), 0.8, (0.1, 0.2, 0.3))
    assert inputs.interpolation == "bicubic"


@pytest.mark.parametrize("name", [*RESNETS, *CONVNEXTS])
def test_ours_exported_opens(name: str, tmp_path: Path, saved: Any, assert_alike: Any) -> None:
    folder, model = saved(name)
    out = zoo.export(folder, to="transformers", out=tmp_path / "theirs")
    theirs = transformers.AutoModelForImageClassification.from_pretrained(out)
    assert type(theirs).__module__.startswith("transformers.models.")
    assert_alike(model, theirs)
    assert theirs.config.id2label == dict(enumerate(read_config(folder).labels))
    processor = transformers.AutoImageProcessor.from_pretrained(out)
    assert (processor.size["shortest_edge"], processor.crop_size["height"]) == (106, 96)
    assert_alike(model, zoo.load(out))


@pytest.mark.parametrize("name", ["resnet18", "convnext_atto"])
def test_automodel_opens_a_push(name: str, tmp_path: Path, saved: Any, served_hub: Any, assert_alike: Any) -> None:
    folder, model = saved(name)
    zoo.push(folder, "tester/model", hub=served_hub.url, private=True, library="transformers")
    pulled = zoo.pull("hf://tester/model", hub=served_hub.url).folder
    assert_alike(model, transformers.AutoModelForImageClassification.from_pretrained(pulled))
    features = transformers.AutoModel.from_pretrained(pulled)
    assert features is not None
    assert_alike(model, zoo.load("hf://tester/model", hub=served_hub.url))


@pytest.mark.parametrize("name", ["mobilenetv3_small_100", "efficientnet_b0"])
def test_those_it_lacks_open_by_way_of_timm(name: str, tmp_path: Path, saved: Any, assert_alike: Any) -> None:
    pytest.importorskip("timm", reason="needs timm: make test-interop")
    folder, model = saved(name)
    out = zoo.export(folder, to="transformers", out=tmp_path / "theirs")
    assert_alike(model, transformers.AutoModelForImageClassification.from_pretrained(out))


@pytest.mark.parametrize("name", ["resnet18", "convnext_atto"])
def test_without_a_head(name: str, tmp_path: Path, randomised: Any) -> None:
    model = randomised(made(name).base_model)
    model.save_pretrained(tmp_path)
    ours = zoo.load(tmp_path)
    assert ours.num_classes == 0


def test_one_that_strides_elsewhere_is_refused(tmp_path: Path) -> None:
    made("resnet50", downsample_in_bottleneck=True).save_pretrained(tmp_path)
    with pytest.raises(
        zoo.NotFoundError, match="holds a 'resnet' of transformers with downsample_in_bottleneck=True, which no plugin"
    ):
        zoo.load(tmp_path)
