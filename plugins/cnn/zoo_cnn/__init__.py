"""Convolutional backbones for zoo, with timm's names for architectures and parameters."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import zoo

_LIMITS = {"depths": 256, "depth": 256, "widths": 16_384, "channels": 1024}
_spec = partial(
    zoo.ModelSpec,
    family="cnn",
    task="image-classification",
    capabilities=("features", "detection-ready"),
)

# name: block, depths, parameters
_RESNETS: dict[str, tuple[str, list[int], int]] = {
    "resnet18": ("basic", [2, 2, 2, 2], 11_689_512),
    "resnet34": ("basic", [3, 4, 6, 3], 21_797_672),
    "resnet50": ("bottleneck", [3, 4, 6, 3], 25_557_032),
    "resnet101": ("bottleneck", [3, 4, 23, 3], 44_549_160),
}
# layers: blocks in each stage, parameters
_CIFAR_RESNETS = {20: (3, 269_722), 32: (5, 464_154), 44: (7, 658_586), 56: (9, 853_018)}
# size: depths, widths, parameters
_CONVNEXTS: dict[str, tuple[list[int], list[int], int]] = {
    "atto": ([2, 2, 6, 2], [40, 80, 160, 320], 3_695_520),
    "femto": ([2, 2, 6, 2], [48, 96, 192, 384], 5_217_784),
    "pico": ([2, 2, 6, 2], [64, 128, 256, 512], 9_045_672),
    "nano": ([2, 2, 8, 2], [80, 160, 320, 640], 15_593_560),
    "tiny": ([3, 3, 9, 3], [96, 192, 384, 768], 28_589_128),
    "small": ([3, 3, 27, 3], [96, 192, 384, 768], 50_223_688),
    "base": ([3, 3, 27, 3], [128, 256, 512, 1024], 88_591_464),
}
_MOBILENETS = {"small": 2_542_856, "large": 5_483_032}


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    yield from _resnets()
    yield from _convnexts()
    for variant, parameters in _MOBILENETS.items():
        yield _spec(
            name=f"mobilenetv3_{variant}_100",
            summary=f"MobileNetV3 {variant}, for little computation (Howard et al., 2019)",
            target="zoo_cnn.mobilenetv3:MobileNetV3",
            arguments={"variant": variant},
            limits=_limits("channels"),
            parameters=parameters,
        )
    yield _spec(
        name="efficientnet_b0",
        summary="EfficientNet-B0, of few parameters (Tan and Le, 2019)",
        target="zoo_cnn.efficientnet:EfficientNet",
        limits=_limits("channels"),
        parameters=5_288_548,
    )


def _resnets() -> Iterator[zoo.ModelSpec]:
    for name, (block, depths, parameters) in _RESNETS.items():
        yield _spec(
            name=name,
            summary=f"ResNet of {name.removeprefix('resnet')} layers (He et al., 2016); cifar_stem for small pictures",
            target="zoo_cnn.resnet:ResNet",
            arguments={"block": block, "depths": depths},
            limits=_limits("depths", "widths", "channels"),
            parameters=parameters,
        )
    for layers, (depth, parameters) in _CIFAR_RESNETS.items():
        yield _spec(
            name=f"resnet{layers}",
            summary=f"ResNet of {layers} layers for 32x32 pixels, shortcuts without parameters (He et al., 2016)",
            target="zoo_cnn.cifar_resnet:CifarResNet",
            arguments={"depth": depth},
            limits=_limits("depth", "widths", "channels"),
            parameters=parameters,
        )


def _convnexts() -> Iterator[zoo.ModelSpec]:
    for size, (depths, widths, parameters) in _CONVNEXTS.items():
        yield _spec(
            name=f"convnext_{size}",
            summary=f"ConvNeXt {size}: depthwise 7x7 convolutions and layer norm (Liu et al., 2022)",
            target="zoo_cnn.convnext:ConvNeXt",
            arguments={"depths": depths, "widths": widths, "conv_mlp": widths[0] < 96},
            limits=_limits("depths", "widths", "channels"),
            parameters=parameters,
        )


def _limits(*names: str) -> dict[str, Any]:
    return {name: _LIMITS[name] for name in names}
