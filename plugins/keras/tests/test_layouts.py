"""What is written is read again, number for number, and the layouts are those of what is written."""

from pathlib import Path
from typing import Any

import pytest
import torch
from zoo_keras import layouts
from zoo_keras.architectures import ARCHITECTURES
from zoo_keras.autoencoders import AUTOENCODERS

import zoo

KERAS_V2 = {"stride_last": True, "conv_bias": True, "zero_padded_pool": True, "norm_eps": 1.001e-5}
SMALL: list[tuple[str, dict[str, Any]]] = [
    ("resnet18", {"widths": [8, 8, 8, 8], "conv_bias": True}),
    ("resnet50", {"widths": [4, 4, 4, 4], "stride_in_1x1": True, "norm_eps": 1.001e-5}),
    ("mobilenetv2_100", {"width": 0.35, "padding": "same"}),
    ("mobilenetv1_100", {"width": 0.25, "padding": "behind", "norm_eps": 1e-3}),
    ("mobilenetv1_100", {"width": 0.25}),
    ("resnetv2_50", {"widths": [4, 4, 4, 4], **KERAS_V2}),
    ("resnetv2_50", {"widths": [4, 4, 4, 4]}),
    ("vgg16", {"widths": [4, 4, 4, 4, 4], "hidden_size": 8, "map_size": [1, 1]}),
    ("vgg16_bn", {"widths": [4, 4, 4, 4, 4], "hidden_size": None}),
    ("convnext_tiny", {"widths": [4, 4, 4, 4]}),
    ("dense_autoencoder", {"image_size": [9, 7], "channels": 3, "hidden_sizes": [20, 8], "code_size": 5}),
    ("conv_autoencoder", {"image_size": 19, "channels": 3, "widths": [4, 8], "code_size": 5}),
]


@pytest.mark.parametrize(("name", "arguments"), SMALL)
def test_what_is_written_is_read_again(name: str, arguments: dict[str, Any], tmp_path: Path) -> None:
    labels = () if name in AUTOENCODERS else ("ant", "bee")
    if labels:
        arguments = {**arguments, "num_classes": 2}
    model = zoo.create(name, **arguments)
    size = arguments.get("image_size", 32)
    inputs = zoo.Preprocessing(image_size=(size, size) if isinstance(size, int) else tuple(size), channels=3)
    saved(model, name, arguments, labels, inputs, tmp_path / "w")
    out = zoo.export(tmp_path / "w", to="keras", out=tmp_path / "a.keras")
    known = zoo.describe(out)
    assert (known.architecture, known.labels) == (name, labels)
    assert known.preprocessing.image_size == inputs.image_size
    assert known.arguments == {**zoo.describe(tmp_path / "w").arguments}
    again = zoo.load(out).state_dict()
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, again[key]), key


def saved(model: Any, name: str, arguments: Any, labels: Any, inputs: Any, folder: Path) -> Path:
    zoo.save(model, folder, name=name, arguments=arguments, labels=labels, inputs=inputs)
    return folder


@pytest.mark.parametrize("model", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_a_layout_names_every_weight_that_is_described(model: Any) -> None:
    """ResNet and ConvNeXt have pairs for any depth: they must be those of the description."""
    from zoo.weights.foreign.renaming import to_ours

    for layout in layouts.APPLICATIONS:
        if model.name not in layout.models:
            continue
        backwards = layout.models[model.name]["channel_order"] == "bgr"
        graph = model.graph({}, (224, 224, 3), 7, backwards=backwards)
        for name, weight in graph.weights().items():
            found = to_ours(name, layout.renames)
            assert (found.name, found.axes, found.dims, found.reversed) == (
                weight.target,
                weight.axes,
                weight.dims,
                weight.reversed,
            ), name


def test_what_keras_has_no_layers_for_is_said(tmp_path: Path) -> None:
    model = zoo.create("resnet20", num_classes=0)
    saved(model, "resnet20", {"num_classes": 0}, (), zoo.Preprocessing(image_size=(32, 32), channels=3), tmp_path / "w")
    with pytest.raises(zoo.UsageError, match="no layers of Keras here for resnet20; there are for resnet18"):
        zoo.export(tmp_path / "w", to="keras", out=tmp_path / "a.keras")
    assert not list(tmp_path.glob("*keras*"))
    zoo.save(zoo.create("resnet18", num_classes=0), tmp_path / "v", name="resnet18", arguments={"num_classes": 0})
    with pytest.raises(zoo.UsageError, match="do not say how pictures become inputs"):
        zoo.export(tmp_path / "v", to="keras", out=tmp_path / "a.keras")


def test_wide_layers_take_pictures_of_one_size(tmp_path: Path) -> None:
    arguments = {"widths": [4, 4, 4, 4, 4], "hidden_size": 8, "map_size": [2, 1], "num_classes": 0}
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=3)
    saved(zoo.create("vgg16", **arguments), "vgg16", arguments, (), inputs, tmp_path / "w")
    with pytest.raises(zoo.UsageError, match="wide layers take pictures of 64x32, not of 32x32"):
        zoo.export(tmp_path / "w", to="keras", out=tmp_path / "a.keras")


def test_a_folder_that_holds_one_file_of_keras_is_loaded(tmp_path: Path) -> None:
    name, arguments = SMALL[0]
    model = zoo.create(name, **arguments, num_classes=0)
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=3)
    saved(model, name, {**arguments, "num_classes": 0}, (), inputs, tmp_path / "w")
    (tmp_path / "folder").mkdir()
    out = zoo.export(tmp_path / "w", to="keras", out=tmp_path / "folder" / "model.keras")
    assert zoo.describe(tmp_path / "folder").arguments == zoo.describe(out).arguments
