"""How timm, torchvision, transformers and authors store these models. timm's names are ours, and need no pairs."""

from collections.abc import Iterable, Iterator
from typing import Any

import zoo
from zoo_cnn import torchvision_files
from zoo_cnn.mobilenetv2 import TABLE as MOBILENETV2_TABLE
from zoo_cnn.mobilenetv3 import LARGE, SMALL
from zoo_cnn.sizes import CIFAR_RESNETS, CONVNEXTS, EFFICIENTNETS, RESNETS, RESNETV2S, VGGS
from zoo_cnn.torchvision_files import prepared


def _timm(names: Iterable[str], **changes: Any) -> zoo.Layout:
    return zoo.Layout(library="timm", models={name: {"architecture": name} for name in names}, **changes)


_RESNET_TENSORS: dict[str, Any] = {"stem": "conv1.weight", "classifier": "fc.weight"}
_RESNET_LAYER = "[resnet.]encoder.stages.{stage}.layers.{block}."
RESNET = (
    _timm(RESNETS, **_RESNET_TENSORS),
    zoo.Layout(
        library="torchvision",
        models={name: {"architecture": name} for name in RESNETS},
        files=torchvision_files.RESNET,
        **prepared(256, 224),
        **_RESNET_TENSORS,
    ),
    zoo.Layout(
        library="transformers",
        models={
            name: {
                "depths": depths,
                "hidden_sizes": [64, 128, 256, 512] if block == "basic" else [256, 512, 1024, 2048],
                "layer_type": block,
            }
            for name, (block, depths, _) in RESNETS.items()
        },
        config={
            "model_type": "resnet",
            "embedding_size": 64,
            "hidden_act": "relu",
            "downsample_in_first_stage": False,
            "downsample_in_bottleneck": False,
        },
        defaults={
            "embedding_size": 64,
            "hidden_sizes": [256, 512, 1024, 2048],
            "depths": [3, 4, 6, 3],
            "layer_type": "bottleneck",
            "hidden_act": "relu",
            "downsample_in_first_stage": False,
            "downsample_in_bottleneck": False,
        },
        written={"architectures": ["ResNetForImageClassification"]},
        renames=(
            zoo.Rename("[resnet.]embedder.embedder.convolution", "conv1"),
            zoo.Rename("[resnet.]embedder.embedder.normalization", "bn1"),
            zoo.Rename(_RESNET_LAYER + "layer.{n}.convolution", "layer{stage+1}.{block}.conv{n+1}"),
            zoo.Rename(_RESNET_LAYER + "layer.{n}.normalization", "layer{stage+1}.{block}.bn{n+1}"),
            zoo.Rename(_RESNET_LAYER + "shortcut.convolution", "layer{stage+1}.{block}.downsample.0"),
            zoo.Rename(_RESNET_LAYER + "shortcut.normalization", "layer{stage+1}.{block}.downsample.1"),
            zoo.Rename("classifier.1", "fc"),
        ),
        **_RESNET_TENSORS,
    ),
)

CIFAR_RESNET = (
    zoo.Layout(
        library="pytorch_resnet_cifar10",
        models={f"resnet{layers}": {} for layers in CIFAR_RESNETS},
        renames=(zoo.Rename("linear", "fc"),),
        labels=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        image_size=(32, 32),
        crop=1.0,
        interpolation="bilinear",
        **_RESNET_TENSORS,
    ),
)

RESNETV2 = (
    _timm(
        RESNETV2S,
        stem="stem.conv.weight",
        classifier="head.fc.weight",
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        crop=0.95,
    ),
)

_VGG_TENSORS: dict[str, Any] = {"stem": "features.0.weight", "classifier": "head.fc.weight"}
VGG = (
    _timm(VGGS, interpolation="bilinear", **_VGG_TENSORS),
    zoo.Layout(
        library="torchvision",
        models={name: {"architecture": name} for name in VGGS},
        **prepared(256, 224),
        renames=(
            zoo.Rename("classifier.0.weight", "pre_logits.fc1.weight", 2),
            zoo.Rename("classifier.0", "pre_logits.fc1"),
            zoo.Rename("classifier.3.weight", "pre_logits.fc2.weight", 2),
            zoo.Rename("classifier.3", "pre_logits.fc2"),
            zoo.Rename("classifier.6", "head.fc"),
        ),
        arguments={"fixed_map": True},
        files=torchvision_files.VGG,
        **_VGG_TENSORS,
    ),
)

_CONVNEXT_TENSORS: dict[str, Any] = {"stem": "stem.0.weight", "classifier": "head.fc.weight"}
_CONVNEXT_STAGE = "[convnext.]encoder.stages.{stage}."
_CONVNEXT_LAYER = _CONVNEXT_STAGE + "layers.{block}."
_CONVNEXT_BLOCK = "stages.{stage}.blocks.{block}."
CONVNEXT = (
    _timm([f"convnext_{size}" for size in CONVNEXTS], **_CONVNEXT_TENSORS),
    *(
        zoo.Layout(
            library="torchvision",
            **prepared(resized, 224),
            models={f"convnext_{size}": {"architecture": f"convnext_{size}"}},
            renames=(
                zoo.Rename("features.0.{n}", "stem.{n}"),
                *(
                    rename
                    for stage in range(4)
                    for rename in (
                        zoo.Rename(f"features.{2 * stage}.{{n}}", f"stages.{stage}.downsample.{{n}}"),
                        zoo.Rename(
                            f"features.{2 * stage + 1}.{{b}}.layer_scale", f"stages.{stage}.blocks.{{b}}.gamma", 3
                        ),
                        zoo.Rename(f"features.{2 * stage + 1}.{{b}}.block.0", f"stages.{stage}.blocks.{{b}}.conv_dw"),
                        zoo.Rename(f"features.{2 * stage + 1}.{{b}}.block.2", f"stages.{stage}.blocks.{{b}}.norm"),
                        zoo.Rename(f"features.{2 * stage + 1}.{{b}}.block.3", f"stages.{stage}.blocks.{{b}}.mlp.fc1"),
                        zoo.Rename(f"features.{2 * stage + 1}.{{b}}.block.5", f"stages.{stage}.blocks.{{b}}.mlp.fc2"),
                    )
                ),
                zoo.Rename("classifier.0", "head.norm"),
                zoo.Rename("classifier.2", "head.fc"),
            ),
            **_CONVNEXT_TENSORS,
        )
        for size, resized in (("tiny", 236), ("small", 230), ("base", 232))
    ),
    zoo.Layout(
        library="transformers",
        models={
            f"convnext_{size}": {"depths": depths, "hidden_sizes": widths}
            for size, (depths, widths, _) in CONVNEXTS.items()
        },
        config={"model_type": "convnext", "patch_size": 4, "num_stages": 4, "hidden_act": "gelu"},
        defaults={
            "patch_size": 4,
            "num_stages": 4,
            "hidden_sizes": [96, 192, 384, 768],
            "depths": [3, 3, 9, 3],
            "hidden_act": "gelu",
            "layer_norm_eps": 1e-12,
            "drop_path_rate": 0.0,
        },
        aliases={"num_hidden_layers": "num_stages"},
        written={"architectures": ["ConvNextForImageClassification"]},
        options={"head_norm_eps": "layer_norm_eps", "drop_path_rate": "drop_path_rate"},
        renames=(
            zoo.Rename("[convnext.]embeddings.patch_embeddings", "stem.0"),
            zoo.Rename("[convnext.]embeddings.layernorm", "stem.1"),
            zoo.Rename(_CONVNEXT_STAGE + "downsampling_layer", "stages.{stage}.downsample"),
            zoo.Rename(_CONVNEXT_LAYER + "layer_scale_parameter", _CONVNEXT_BLOCK + "gamma"),
            zoo.Rename(_CONVNEXT_LAYER + "dwconv", _CONVNEXT_BLOCK + "conv_dw"),
            zoo.Rename(_CONVNEXT_LAYER + "layernorm", _CONVNEXT_BLOCK + "norm"),
            zoo.Rename(_CONVNEXT_LAYER + "pwconv{n}.weight", _CONVNEXT_BLOCK + "mlp.fc{n}.weight", 2),
            zoo.Rename(_CONVNEXT_LAYER + "pwconv{n}", _CONVNEXT_BLOCK + "mlp.fc{n}"),
            zoo.Rename("[convnext.]layernorm", "head.norm"),
            zoo.Rename("classifier", "head.fc"),
        ),
        **_CONVNEXT_TENSORS,
    ),
)


def _torchvision_block(source: str, target: str, *, expands: bool, squeezes: bool) -> Iterator[zoo.Rename]:
    """Yield the pairs of one inverted residual block, which torchvision numbers through."""
    layers = ["conv_pw", "conv_dw", "conv_pwl"] if expands else ["conv_dw", "conv_pw"]
    place = 0
    for number, layer in enumerate(layers, start=1):
        if squeezes and number == len(layers):
            yield zoo.Rename(f"{source}.block.{place}.fc1", f"{target}.se.conv_reduce")
            yield zoo.Rename(f"{source}.block.{place}.fc2", f"{target}.se.conv_expand")
            place += 1
        yield zoo.Rename(f"{source}.block.{place}.0", f"{target}.{layer}")
        yield zoo.Rename(f"{source}.block.{place}.1", f"{target}.bn{number}")
        place += 1


def _torchvision_mobilenet(table: Any) -> Iterator[zoo.Rename]:
    yield zoo.Rename("features.0.0", "conv_stem")
    yield zoo.Rename("features.0.1", "bn1")
    blocks = [
        (f"blocks.{stage}.{block}", row)
        for stage, rows in enumerate(table)
        for block, row in enumerate(row for row in rows for _ in range(row.repeats))
    ]
    for place, (target, row) in enumerate(blocks, start=1):
        if row.kernel == 1:
            yield zoo.Rename(f"features.{place}.0", f"{target}.conv")
            yield zoo.Rename(f"features.{place}.1", f"{target}.bn1")
        else:
            expands = row.expansion != 1
            yield from _torchvision_block(f"features.{place}", target, expands=expands, squeezes=row.squeeze)
    yield zoo.Rename("classifier.0.weight", "conv_head.weight", 2)
    yield zoo.Rename("classifier.0", "conv_head")
    yield zoo.Rename("classifier.3", "classifier")


_MOBILE_TENSORS: dict[str, Any] = {"stem": "conv_stem.weight", "classifier": "classifier.weight"}
MOBILENETV3 = (
    _timm(["mobilenetv3_small_100", "mobilenetv3_large_100"], options={"norm_eps": "bn_eps"}, **_MOBILE_TENSORS),
    *(
        zoo.Layout(
            library="torchvision",
            files=torchvision_files.MOBILENETV3,
            **prepared(256, 224),
            models={f"mobilenetv3_{variant}_100": {"architecture": f"mobilenet_v3_{variant}"}},
            renames=tuple(_torchvision_mobilenet(table)),
            arguments={"norm_eps": 1e-3, "norm_momentum": 0.01},
            **_MOBILE_TENSORS,
        )
        for variant, table in (("small", SMALL), ("large", LARGE))
    ),
)

MOBILENETV1 = (_timm(["mobilenetv1_100"], mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), **_MOBILE_TENSORS),)

MOBILENETV2 = (
    _timm(["mobilenetv2_100"], **_MOBILE_TENSORS),
    zoo.Layout(
        library="torchvision",
        files=torchvision_files.MOBILENETV2,
        **prepared(256, 224),
        models={"mobilenetv2_100": {"architecture": "mobilenet_v2"}},
        renames=(
            zoo.Rename("features.0.0", "conv_stem"),
            zoo.Rename("features.0.1", "bn1"),
            zoo.Rename("features.18.0", "conv_head"),
            zoo.Rename("features.18.1", "bn2"),
            zoo.Rename("features.1.conv.0.0", "blocks.0.0.conv_dw"),
            zoo.Rename("features.1.conv.0.1", "blocks.0.0.bn1"),
            zoo.Rename("features.1.conv.1", "blocks.0.0.conv_pw"),
            zoo.Rename("features.1.conv.2", "blocks.0.0.bn2"),
            *(
                rename
                for place, block in enumerate(
                    f"blocks.{stage}.{block}"
                    for stage, (row,) in enumerate(MOBILENETV2_TABLE)
                    for block in range(row.repeats)
                    if stage
                )
                for rename in (
                    zoo.Rename(f"features.{place + 2}.conv.0.0", f"{block}.conv_pw"),
                    zoo.Rename(f"features.{place + 2}.conv.0.1", f"{block}.bn1"),
                    zoo.Rename(f"features.{place + 2}.conv.1.0", f"{block}.conv_dw"),
                    zoo.Rename(f"features.{place + 2}.conv.1.1", f"{block}.bn2"),
                    zoo.Rename(f"features.{place + 2}.conv.2", f"{block}.conv_pwl"),
                    zoo.Rename(f"features.{place + 2}.conv.3", f"{block}.bn3"),
                )
            ),
            zoo.Rename("classifier.1", "classifier"),
        ),
        **_MOBILE_TENSORS,
    ),
)

EFFICIENTNET = (
    _timm([f"efficientnet_{name}" for name in EFFICIENTNETS], **_MOBILE_TENSORS),
    *(
        zoo.Layout(
            library="torchvision",
            models={f"efficientnet_{name}": {"architecture": f"efficientnet_{name}"}},
            files=torchvision_files.EFFICIENTNET,
            **prepared(*torchvision_files.EFFICIENTNET_SIZES[name], "bicubic"),
            renames=(
                zoo.Rename("features.0.0", "conv_stem"),
                zoo.Rename("features.0.1", "bn1"),
                zoo.Rename("features.8.0", "conv_head"),
                zoo.Rename("features.8.1", "bn2"),
                *_torchvision_block("features.1.{b}", "blocks.0.{b}", expands=False, squeezes=True),
                *_torchvision_block("features.{stage+1}.{b}", "blocks.{stage}.{b}", expands=True, squeezes=True),
                zoo.Rename("classifier.1", "classifier"),
            ),
            **_MOBILE_TENSORS,
        )
        for name in EFFICIENTNETS
    ),
)
