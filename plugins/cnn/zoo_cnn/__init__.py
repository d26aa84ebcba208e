"""Convolutional backbones for zoo, with timm's names for architectures and parameters."""

from collections.abc import Iterator
from functools import partial

import zoo
from zoo_cnn.sizes import CIFAR_RESNETS, CONVNEXTS, EFFICIENTNETS, MOBILENETS, RESNETS, RESNETV2S, VGGS

_STAGED = {"depths": 256, "widths": 16_384, "channels": 1024}
_spec = partial(
    zoo.ModelSpec,
    family="cnn",
    task="image-classification",
    capabilities=("features", "detection-ready"),
    recipe="supervised",
)
_NORMED = {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 5e-4, "warmup": 0.2}

_SELF_SUPERVISED = {
    "SimCLR": "Contrastive learning (SimCLR; Chen et al., 2020)",
    "BYOL": "Bootstrap your own latent: predict a momentum teacher's features (BYOL; Grill et al., 2020)",
    "DINO": "Self-distillation with no labels: match local to global crops (DINO; Caron et al., 2021)",
}


@zoo.hookimpl
def zoo_models() -> Iterator[zoo.ModelSpec]:
    for name, (block, depths, parameters) in RESNETS.items():
        yield _spec(
            name=name,
            summary=f"ResNet-{name.removeprefix('resnet')} (He et al., 2016); cifar_stem for small images",
            target="zoo_cnn.resnet:ResNet",
            arguments={"block": block, "depths": depths},
            limits=_STAGED,
            parameters=parameters,
            settings=_NORMED,
            layouts="zoo_cnn.layouts:RESNET",
        )
    for name, (depths, parameters) in RESNETV2S.items():
        yield _spec(
            name=name,
            summary=f"ResNet v2-{name.removeprefix('resnetv2_')}: norm and activation first (He et al., 2016)",
            target="zoo_cnn.resnetv2:ResNetV2",
            arguments={"depths": depths},
            limits=_STAGED,
            parameters=parameters,
            settings=_NORMED,
            layouts="zoo_cnn.layouts:RESNETV2",
        )
    for name, (norm, parameters) in VGGS.items():
        yield _spec(
            name=name,
            summary=f"VGG-16{' with batch norm' if norm else ''} (Simonyan and Zisserman, 2015)",
            target="zoo_cnn.vgg:VGG",
            arguments={"depths": [2, 2, 3, 3, 3], "norm": norm},
            limits={**_STAGED, "hidden_size": 65_536, "map_size": 256},
            parameters=parameters,
            layouts="zoo_cnn.layouts:VGG",
        )
    for layers, (depth, parameters) in CIFAR_RESNETS.items():
        yield _spec(
            name=f"resnet{layers}",
            summary=f"ResNet-{layers} for 32x32 images, parameter-free shortcuts (He et al., 2016)",
            target="zoo_cnn.cifar_resnet:CifarResNet",
            arguments={"depth": depth},
            limits={"depth": 256, "widths": 16_384, "channels": 1024},
            parameters=parameters,
            settings=_NORMED,
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
            summary=f"MobileNetV3 {variant}, for low-compute devices (Howard et al., 2019)",
            target="zoo_cnn.mobilenetv3:MobileNetV3",
            arguments={"variant": variant},
            limits={"channels": 1024},
            parameters=parameters,
            layouts="zoo_cnn.layouts:MOBILENETV3",
        )
    yield _spec(
        name="mobilenetv1_100",
        summary="MobileNet: depthwise separable convolutions (Howard et al., 2017)",
        target="zoo_cnn.mobilenetv1:MobileNetV1",
        limits={"channels": 1024},
        parameters=4_231_976,
        layouts="zoo_cnn.layouts:MOBILENETV1",
    )
    yield _spec(
        name="mobilenetv2_100",
        summary="MobileNetV2: inverted residuals and linear bottlenecks (Sandler et al., 2018)",
        target="zoo_cnn.mobilenetv2:MobileNetV2",
        limits={"channels": 1024},
        parameters=3_504_872,
        layouts="zoo_cnn.layouts:MOBILENETV2",
    )
    for name, (width, scaled, parameters) in EFFICIENTNETS.items():
        yield _spec(
            name=f"efficientnet_{name}",
            summary=f"EfficientNet-{name.upper()} (Tan and Le, 2019)",
            target="zoo_cnn.efficientnet:EfficientNet",
            arguments={"width": width, "depth": scaled},
            limits={"channels": 1024},
            parameters=parameters,
            layouts="zoo_cnn.layouts:EFFICIENTNET",
        )


@zoo.hookimpl
def zoo_recipes() -> Iterator[zoo.RecipeSpec]:
    yield zoo.RecipeSpec(
        name="supervised",
        stage="pretrain",
        summary="Supervised classification: label smoothing, augmentation, mixup and CutMix",
        target="zoo_cnn.pretraining.supervised:Supervised",
        settings="zoo_cnn.pretraining.settings:SupervisedSettings",
        task="image-classification",
        score="accuracy",
        higher_is_better=True,
        requires=("features",),
        labels=True,
    )
    yield zoo.RecipeSpec(
        name="distillation",
        stage="pretrain",
        summary="Knowledge distillation from a teacher's predictions (Hinton et al., 2015)",
        target="zoo_cnn.pretraining.distillation:Distillation",
        settings="zoo_cnn.pretraining.settings:DistillationSettings",
        task="image-classification",
        score="agreement",
        higher_is_better=True,
        requires=("features",),
    )
    for recipe, summary in _SELF_SUPERVISED.items():
        yield zoo.RecipeSpec(
            name=recipe.lower(),
            stage="pretrain",
            summary=summary,
            target=f"zoo_cnn.pretraining.{recipe.lower()}:{recipe}",
            settings=f"zoo_cnn.pretraining.settings:{recipe}Settings",
            task="image-feature-extraction",
            score="rankme",
            higher_is_better=True,
            requires=("features",),
        )
