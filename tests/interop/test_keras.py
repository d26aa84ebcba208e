"""Keras's own files load with equal outputs, and what is exported opens in Keras: `make test-keras`."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import zoo
from zoo.weights.folder import save_weights

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="needs Keras 3: make test-keras")

ODD = (75, 61, 3)
EVEN = (64, 64, 3)
# Keras's class, our architecture, the size of pictures, further arguments
CASES: list[tuple[str, str, tuple[int, int, int], dict[str, Any]]] = [
    ("ResNet50", "resnet50", ODD, {}),
    ("ResNet101", "resnet101", EVEN, {}),
    ("ResNet50V2", "resnetv2_50", ODD, {}),
    ("ResNet101V2", "resnetv2_101", EVEN, {}),
    ("VGG16", "vgg16", ODD, {}),
    ("MobileNet", "mobilenetv1_100", ODD, {}),
    ("MobileNet", "mobilenetv1_100", EVEN, {"alpha": 0.25}),
    ("MobileNetV2", "mobilenetv2_100", ODD, {}),
    ("MobileNetV2", "mobilenetv2_100", EVEN, {"alpha": 0.35}),
    ("MobileNetV3Small", "mobilenetv3_small_100", ODD, {}),
    ("MobileNetV3Large", "mobilenetv3_large_100", EVEN, {}),
    ("EfficientNetB0", "efficientnet_b0", ODD, {}),
    ("EfficientNetB1", "efficientnet_b1", EVEN, {}),
    ("EfficientNetB2", "efficientnet_b2", ODD, {}),
    ("EfficientNetB3", "efficientnet_b3", EVEN, {}),
    ("ConvNeXtTiny", "convnext_tiny", ODD, {}),
    ("ConvNeXtSmall", "convnext_small", EVEN, {}),
]
SUFFIXES = (".keras", ".weights.h5", ".h5")
# which of Keras's layers gives each map that `feature_info` lists
MAPS = {
    "resnet50": ["conv1_relu", *(f"conv{stage}_block{last}_out" for stage, last in ((2, 3), (3, 4), (4, 6), (5, 3)))],
    "resnetv2_50": [
        *("conv1_conv", *(f"conv{stage}_block{last}_out" for stage, last in ((2, 3), (3, 4), (4, 6), (5, 3)))),
    ],
    "vgg16": [*(f"block{stage}_conv{last}" for stage, last in ((1, 2), (2, 2), (3, 3), (4, 3), (5, 3))), "block5_pool"],
    "mobilenetv1_100": [f"conv_pw_{place}_relu" for place in (1, 3, 5, 11, 13)],
    "mobilenetv2_100": [
        *("expanded_conv_project_BN", "block_2_add", "block_5_add", "block_12_add", "block_16_project_BN"),
    ],
    "efficientnet_b0": ["block1a_project_bn", "block2b_add", "block3b_add", "block5c_add", "block7a_project_bn"],
}


def randomized(model: Any) -> Any:
    """Give a model weights that hide nothing."""
    random = np.random.default_rng(0)
    for weight in model.weights:
        leaf, shape = weight.path.rpartition("/")[2], weight.shape
        if leaf in ("gamma", "moving_variance"):
            value = random.uniform(0.8, 1.2, shape)
        elif leaf in ("beta", "bias", "moving_mean"):
            value = random.normal(0, 0.05, shape)
        elif leaf == "kernel" and len(shape) > 1:
            depthwise = "depthwise" in weight.path or "dwconv" in weight.path
            fan = shape[0] * shape[1] if depthwise else int(np.prod(shape[:-1]))
            value = random.normal(0, fan**-0.5, shape)
        else:
            continue
        weight.assign(value.astype(np.float32))
    return model


def pictures(height: int, width: int, channels: int = 3) -> Any:
    return np.random.default_rng(1).uniform(0, 1, (2, height, width, channels)).astype(np.float32)


def prepared(images: Any, known: Any) -> Tensor:
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (known.mean, known.std))
    return (torch.from_numpy(images).permute(0, 3, 1, 2) - mean) / std


def as_keras_does(images: Any, kind: str) -> Any:
    """Do what keras.applications' own preprocess_input does to bytes."""
    modules = {"MobileNetV2": "mobilenet_v2", "MobileNet": "mobilenet", "VGG16": "vgg16"}
    modules |= {kind: "resnet_v2" if kind.endswith("V2") else "resnet" for kind in (kind,) if kind.startswith("ResNet")}
    name = modules.get(kind)
    return images * 255 if name is None else getattr(keras.applications, name).preprocess_input(images * 255)


@pytest.mark.parametrize(
    ("kind", "name", "shape", "more"), CASES, ids=[f"{kind}-{size[0]}" for kind, _, size, _ in CASES]
)
def test_their_file_loads(kind: str, name: str, shape: Any, more: Any, tmp_path: Path) -> None:
    theirs = randomized(
        getattr(keras.applications, kind)(
            weights=None, input_shape=shape, classes=7, classifier_activation=None, **more
        )
    )
    images = pictures(*shape)
    wanted = theirs.predict(as_keras_does(images, kind), verbose=0)
    suffixes = (
        SUFFIXES if name in ("resnet50", "mobilenetv2_100", "efficientnet_b0", "mobilenetv1_100") else SUFFIXES[:1]
    )
    for suffix in suffixes:
        path = tmp_path / f"theirs{suffix}"
        (theirs.save_weights if suffix == ".weights.h5" else theirs.save)(path)
        ours, known = zoo.load(path), zoo.describe(path)
        assert (known.architecture, ours.num_classes) == (name, 7)
        if name == "efficientnet_b0" and suffix == ".weights.h5":
            continue  # of random weights alone nothing says that they are not ImageNet's
        with torch.no_grad():
            found = ours(prepared(images, known.preprocessing)).numpy()
        np.testing.assert_allclose(found, wanted, atol=1e-4 * max(1, np.abs(wanted).max()), rtol=1e-4)
        assert tuple(known.preprocessing.image_size) == (shape[:2] if suffix != ".weights.h5" else (224, 224))


@pytest.mark.parametrize("name", MAPS)
def test_the_map_of_every_stage_is_theirs(name: str, tmp_path: Path) -> None:
    kind = next(kind for kind, ours, _, _ in CASES if ours == name)
    theirs = randomized(getattr(keras.applications, kind)(weights=None, input_shape=ODD, include_top=False))
    theirs.save(tmp_path / "theirs.keras")
    ours, known = zoo.load(tmp_path / "theirs.keras"), zoo.describe(tmp_path / "theirs.keras")
    images = pictures(*ODD)
    found = [theirs.get_layer(layer).output for layer in MAPS[name]]
    wanted = keras.Model(theirs.input, found).predict(as_keras_does(images, kind), verbose=0)
    with torch.no_grad():
        maps = ours.forward_intermediates(prepared(images, known.preprocessing))[1]
    assert len(maps) == len(wanted)
    for map_, expected in zip(maps, wanted, strict=True):
        np.testing.assert_allclose(map_.permute(0, 2, 3, 1), expected, atol=1e-4 * max(1, np.abs(expected).max()))


def test_a_model_that_was_finetuned_loads(tmp_path: Path) -> None:
    base = keras.applications.MobileNetV2(weights=None, input_shape=EVEN, include_top=False, alpha=0.35)
    layers = keras.layers
    theirs = keras.Sequential(
        [
            keras.Input(EVEN),
            layers.Rescaling(1 / 127.5, offset=-1),
            base,
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(5, activation="softmax"),
        ]
    )
    theirs.compile("adam", "sparse_categorical_crossentropy")
    images = pictures(*EVEN)
    theirs.fit(images * 255, np.array([0, 1]), verbose=0)
    wanted = theirs.predict(images * 255, verbose=0)
    for suffix in (".keras", ".h5"):
        theirs.save(tmp_path / f"theirs{suffix}")
        ours, known = zoo.load(tmp_path / f"theirs{suffix}"), zoo.describe(tmp_path / f"theirs{suffix}")
        with torch.no_grad():
            found = ours(prepared(images, known.preprocessing)).softmax(1).numpy()
        np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_weights_in_shards_load(tmp_path: Path) -> None:
    theirs = randomized(
        keras.applications.MobileNet(weights=None, input_shape=EVEN, classes=7, alpha=0.25, classifier_activation=None)
    )
    theirs.save_weights(tmp_path / "theirs.weights.json", max_shard_size=5e-4)
    assert len(list(tmp_path.glob("*.h5"))) > 1
    images = pictures(*EVEN)
    wanted = theirs.predict(as_keras_does(images, "MobileNet"), verbose=0)
    ours, known = zoo.load(tmp_path / "theirs.weights.json"), zoo.describe(tmp_path / "theirs.weights.json")
    with torch.no_grad():
        found = ours(prepared(images, known.preprocessing)).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-4 * max(1, np.abs(wanted).max()))


def test_a_setting_that_our_model_does_not_have_is_named(tmp_path: Path) -> None:
    theirs = keras.applications.ResNet50(weights=None, input_shape=EVEN, classes=7)
    theirs.get_layer("conv3_block2_2_bn").epsilon = 0.5
    theirs.save(tmp_path / "theirs.keras")
    with pytest.raises(zoo.IntegrityError, match="has epsilon=0.5 in its layer 'conv3_block2_2_bn'"):
        zoo.load(tmp_path / "theirs.keras")


EXPORTED: list[tuple[str, dict[str, Any]]] = [
    ("resnet18", {"widths": [8, 16, 24, 32]}),
    ("resnet50", {"widths": [8, 16, 24, 32]}),
    ("resnet18", {"widths": [8, 8, 8, 8], "cifar_stem": True, "channels": 1}),
    ("resnetv2_50", {"widths": [8, 16, 24, 32]}),
    ("resnetv2_50", {"widths": [8, 8, 8, 8], "stride_last": True, "conv_bias": True, "zero_padded_pool": True}),
    ("vgg16", {"widths": [8, 8, 16, 16, 16], "hidden_size": 24, "map_size": [2, 1]}),
    ("vgg16_bn", {"widths": [8, 8, 16, 16, 16], "hidden_size": None}),
    ("mobilenetv1_100", {"width": 0.5}),
    ("mobilenetv1_100", {"width": 0.25, "padding": "behind", "norm_eps": 1e-3}),
    ("mobilenetv2_100", {"width": 0.5}),
    ("mobilenetv3_small_100", {}),
    ("mobilenetv3_large_100", {"padding": "same", "norm_eps": 1e-3}),
    ("efficientnet_b0", {"padding": "same", "norm_eps": 1e-3}),
    ("efficientnet_b1", {}),
    ("convnext_tiny", {"widths": [8, 16, 24, 32]}),
]


@pytest.mark.parametrize(("name", "arguments"), EXPORTED)
def test_ours_exported_opens(name: str, arguments: Any, tmp_path: Path, randomised: Callable[..., Any]) -> None:
    arguments = {"num_classes": 5, **arguments}
    model = randomised(zoo.create(name, **arguments))
    channels = arguments.get("channels", 3)
    inputs = zoo.Preprocessing(image_size=ODD[:2], channels=channels, mean=(0.4,) * channels, std=(0.2,) * channels)
    save_weights(tmp_path / "w", model, model_name=name, arguments=arguments, labels=tuple("abcde"), inputs=inputs)
    out = zoo.export(tmp_path / "w", to="keras", out=tmp_path / "ours.keras")
    theirs = keras.saving.load_model(out)
    images = pictures(*ODD[:2], channels)
    with torch.no_grad():
        wanted = model(prepared(images, inputs)).softmax(1).numpy()
    np.testing.assert_allclose(theirs.predict(images * 255, verbose=0), wanted, atol=1e-4)
    known, again = zoo.describe(out), zoo.load(out).state_dict()
    assert known.labels == tuple("abcde")
    assert all(torch.equal(tensor, again[key]) for key, tensor in model.state_dict().items() if "num_b" not in key)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("dense_autoencoder", {"image_size": [9, 7], "channels": 3, "hidden_sizes": [20], "code_size": 5}),
        ("dense_autoencoder", {"image_size": 28, "code_size": 5}),
        ("conv_autoencoder", {"image_size": [19, 22], "channels": 3, "widths": [8, 12], "code_size": 5}),
        ("conv_autoencoder", {"image_size": 28, "widths": [8, 12], "code_size": 5}),
    ],
)
def test_an_autoencoder_exported_reconstructs_the_same(
    name: str, arguments: Any, tmp_path: Path, randomised: Callable[..., Any]
) -> None:
    model = randomised(zoo.create(name, **arguments))
    size, channels = arguments["image_size"], arguments.get("channels", 1)
    size = (size, size) if isinstance(size, int) else tuple(size)
    inputs = zoo.Preprocessing(image_size=size, channels=channels)
    save_weights(tmp_path / "w", model, model_name=name, arguments=arguments, inputs=inputs)
    theirs = keras.saving.load_model(zoo.export(tmp_path / "w", to="keras", out=tmp_path / "ours.keras"))
    images = pictures(*size, channels)
    with torch.no_grad():
        wanted = model.reconstruct(torch.from_numpy(images).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
        again = zoo.load(tmp_path / "ours.keras").reconstruct(torch.from_numpy(images).permute(0, 3, 1, 2))
    np.testing.assert_allclose(theirs.predict(images, verbose=0), wanted, atol=1e-4)
    np.testing.assert_allclose(again.permute(0, 2, 3, 1).numpy(), wanted, atol=1e-6)


def test_the_textbooks_autoencoder_reconstructs_the_same(tmp_path: Path) -> None:
    layers = keras.layers
    picture = keras.Input((784,))
    code = layers.Dense(64, activation="relu")(picture)
    theirs = keras.Model(picture, layers.Dense(784, activation="sigmoid")(code))
    theirs.compile("adam", "binary_crossentropy")
    images = pictures(28, 28, 1)
    theirs.fit(images.reshape(2, 784), images.reshape(2, 784), verbose=0)
    theirs.save(tmp_path / "theirs.keras")
    ours = zoo.load(tmp_path / "theirs.keras")
    with torch.no_grad():
        found = ours.reconstruct(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy().reshape(2, 784)
    np.testing.assert_allclose(found, theirs.predict(images.reshape(2, 784), verbose=0), atol=1e-5)
    assert zoo.describe(tmp_path / "theirs.keras").architecture == "dense_autoencoder"
