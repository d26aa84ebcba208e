"""Convolutional backbones for zoo, with timm's names for architectures and parameters."""

from collections.abc import Iterator
from functools import partial

import zoo
from zoo_cnn.sizes import CIFAR_RESNETS, CONVNEXTS, MOBILENETS, RESNETS

_STAGED = {"depths": 256, "widths": 16_384, "channels": 1024}
_spec = partial(zoo.ModelSpec, family="cnn", task="image-classification", capabilities=("features", "detection-ready"))


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    for name, (block, depths, parameters) in RESNETS.items():
        yield _spec(
            name=name,
            summary=f"ResNet of {name.removeprefix('resnet')} layers (He et al., 2016); cifar_stem for small pictures",
            target="zoo_cnn.resnet:ResNet",
            arguments={"block": block, "depths": depths},
            limits=_STAGED,
            parameters=parameters,
            layouts="zoo_cnn.layouts:RESNET",
        )
    for layers, (depth, parameters) in CIFAR_RESNETS.items():
        yield _spec(
            name=f"resnet{layers}",
            summary=f"ResNet of {layers} layers for 32x32 pixels, shortcuts without parameters (He et al., 2016)",
            target="zoo_cnn.cifar_resnet:CifarResNet",
            arguments={"depth": depth},
            limits={"depth": 256, "widths": 16_384, "channels": 1024},
            parameters=parameters,
            layouts="zoo_cnn.layouts:CIFAR_RESNET",
        )
    for size, (depths, widths, parameters) in CONVNEXTS.items():
        yield _spec(
            name=f"convnext_{size}",
            summary=f"ConvNeXt {size}: depthwise 7x7 convolutions and layer norm (Liu et al., 2022)",
            target="zoo_cnn.convnext:ConvNeXt",
            arguments={"depths": depths, "widths": widths, "conv_mlp": widths[0] < 96},
            limits=_STAGED,
            parameters=parameters,
            layouts="zoo_cnn.layouts:CONVNEXT",
        )
    for variant, parameters in MOBILENETS.items():
        yield _spec(
            name=f"mobilenetv3_{variant}_100",
            summary=f"MobileNetV3 {variant}, for little computation (Howard et al., 2019)",
            target="zoo_cnn.mobilenetv3:MobileNetV3",
            arguments={"variant": variant},
            limits={"channels": 1024},
            parameters=parameters,
            layouts="zoo_cnn.layouts:MOBILENETV3",
        )
    yield _spec(
        name="efficientnet_b0",
        summary="EfficientNet-B0, of few parameters (Tan and Le, 2019)",
        target="zoo_cnn.efficientnet:EfficientNet",
        limits={"channels": 1024},
        parameters=5_288_548,
        layouts="zoo_cnn.layouts:EFFICIENTNET",
    )
