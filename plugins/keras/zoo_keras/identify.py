"""Tell which of our models a file holds, by the names of its layers, and check what it says of them."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import zoo
from zoo_keras.architectures import ARCHITECTURES, Architecture
from zoo_keras.autoencoders import conv_identity, dense_identity
from zoo_keras.configuration import Layer
from zoo_keras.graph import Graph
from zoo_keras.hdf5 import Array
from zoo_keras.preprocessing import preprocessing_of, size_of

Shapes = Mapping[str, tuple[int, ...]]
_DEFAULTS: dict[str, Any] = {
    **{"strides": [1, 1], "dilation_rate": [1, 1], "use_bias": True, "activation": "linear", "groups": 1},
    **{"center": True, "scale": True},
}
_NORMALIZATION = r"normalization(_\d+)?|.*_prestem_normalization"
_FIXED = ("block", "name", "variant", "norm")
"""Arguments that the name of a model says."""
_BESIDE = rf"dense(_\d+)?|layer_normalization(_\d+)?|{_NORMALIZATION}"
"""Layers that a model may have beside its own: another head, and what pictures go through first."""
_WIDTHS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.3, 1.4)


@dataclass(frozen=True)
class Identity:
    """The library whose layouts name the tensors, and what its config.json would say; neither for an unknown model.

    `used` are tensors that say how pictures become inputs, and are none of the model; `renamed` are layers whose names
    say nothing, `shapes` those of tensors that lie in the file with some of their axes joined.
    """

    library: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    used: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    shapes: Shapes = field(default_factory=dict)


def identify(path: Path, arrays: Mapping[str, Array], layers: Sequence[Layer]) -> Identity:
    """Return what a file holds. Raise IntegrityError where it is one of our models, but for a setting of a layer."""
    shapes = {name: array.header.shape for name, array in arrays.items()}
    known = {layer.name: layer for layer in layers}
    for model in ARCHITECTURES.values():
        if (arguments := _arguments(model, shapes, known)) is None:
            continue
        graph = model.graph(arguments, (None, None, 3))
        if not _has(shapes, graph, model):
            continue
        _check(path, graph, known)
        parted = wide_layer(arguments, shapes)
        if parted and not layers:
            model = replace(model, image_size=32 * arguments["map_size"][0])
        inputs = preprocessing_of(model, arrays, layers)
        order = "bgr" if inputs.pop("backwards") else "rgb"
        told = {key: value for key, value in arguments.items() if key not in _FIXED}
        return Identity(
            "keras",
            {"architecture": model.name, "channel_order": order, **told, "pretrained_cfg": inputs},
            tuple(name for name in arrays if re.fullmatch(_NORMALIZATION, name.rpartition(".")[0])),
            shapes=parted,
        )
    return _autoencoder(shapes, layers) or Identity()


def _autoencoder(shapes: Shapes, layers: Sequence[Layer]) -> Identity | None:
    """Return what a file holds where its configuration is that of a dense autoencoder, or of one that Zoo wrote."""
    name = "dense_autoencoder"
    if (found := dense_identity(layers, shapes)) is None:
        name, found = "conv_autoencoder", conv_identity(layers, shapes)
    if found is None:
        return None
    arguments, renamed = found
    size = arguments["image_size"]
    height, width = (size, size) if isinstance(size, int) else size
    channels = arguments["channels"]
    pictures = {"input_size": [channels, height, width], "mean": [0.0] * channels, "std": [1.0] * channels}
    return Identity(
        "keras",
        {
            **{"architecture": name, **arguments},
            "pretrained_cfg": {**pictures, "crop_pct": 1.0, "crop_mode": "squash", "interpolation": "bilinear"},
        },
        renamed=renamed,
    )


def _has(shapes: Shapes, graph: Graph, model: Architecture) -> bool:
    """Tell whether a file has every layer of a model, of its width; the head may be another."""
    for node in graph.nodes.values():
        for place in range(len(node.weights)):
            if f"{node.name}.{place}" not in shapes and node.name != f"{model.name}_head_layernorm":
                return False
        if node.kind == "Conv2D" and shapes[f"{node.name}.0"][-1:] != (node.settings["filters"],):
            return False
    own = graph.weights()
    others = {name.rpartition(".")[0] for name in shapes if name not in own}
    return all(name == model.classifier[0] or re.fullmatch(_BESIDE, name) for name in others)


def _arguments(model: Architecture, shapes: Shapes, layers: Mapping[str, Layer]) -> dict[str, Any] | None:
    """Return the arguments that a file tells by what is in it; None where it is no such model."""
    family = model.body.__name__
    found = dict(model.arguments)
    if family == "resnet":
        told = _resnet_arguments(shapes, layers)
    elif family == "resnetv2":
        told = _resnetv2_arguments(shapes, layers)
    elif family == "vgg":
        told = _vgg_arguments(shapes, layers)
    elif family == "convnext":
        told = _convnext_arguments(model.name, shapes)
    else:
        told = _mobile_arguments(family, shapes, layers)
    if told is None:
        return None
    exact = {"resnet": ("block", "depths")}.get(family, ("depths",) if "depths" in told else ())
    return found | told if all(found[key] == told[key] for key in exact) else None


def _resnet_arguments(shapes: Shapes, layers: Mapping[str, Layer]) -> dict[str, Any] | None:
    if len(stem := shapes.get("conv1_conv.0", ())) != 4 or "conv5_block1_1_conv.0" not in shapes:
        return None
    depths = [_count(shapes, f"conv{stage}_block{{}}_1_conv.0", 1) for stage in (2, 3, 4, 5)]
    strided = layers.get("conv3_block1_1_conv")
    first = strided is None or _said(strided, "strides") == [2, 2]
    block = "bottleneck" if "conv2_block1_3_conv.0" in shapes else "basic"
    return {
        "block": block,
        "depths": depths,
        "widths": [shapes[f"conv{stage}_block1_1_conv.0"][-1] for stage in (2, 3, 4, 5)],
        "conv_bias": "conv1_conv.1" in shapes,
        "norm_eps": _epsilon(layers, "conv1_bn", 1.001e-5),
        "stride_in_1x1": first and block == "bottleneck",
        "cifar_stem": stem[0] == 3,
    }


def _resnetv2_arguments(shapes: Shapes, layers: Mapping[str, Layer]) -> dict[str, Any] | None:
    if "post_bn.0" not in shapes or "conv5_block1_1_conv.0" not in shapes:
        return None
    strided = layers.get("conv5_block1_2_conv")
    return {
        "depths": [_count(shapes, f"conv{stage}_block{{}}_1_conv.0", 1) for stage in (2, 3, 4, 5)],
        "widths": [shapes[f"conv{stage}_block1_1_conv.0"][-1] for stage in (2, 3, 4, 5)],
        "conv_bias": "conv1_conv.1" in shapes,
        "norm_eps": _epsilon(layers, "post_bn", 1.001e-5),
        "stride_last": strided is None or _said(strided, "strides") == [1, 1],
        "zero_padded_pool": not layers or "pool1_pad" in layers,
    }


def _vgg_arguments(shapes: Shapes, layers: Mapping[str, Layer]) -> dict[str, Any] | None:
    firsts = [shapes.get(f"block{stage}_conv1.0", ()) for stage in range(1, 6)]
    if not all(firsts):
        return None
    told = {
        "depths": [_count(shapes, f"block{stage}_conv{{}}.0", 1) for stage in range(1, 6)],
        "widths": [first[-1] for first in firsts],
    }
    if len(wide := shapes.get("fc1.0", ())) != 2:
        return {**told, "hidden_size": None}
    places, inputs = wide[0] // told["widths"][-1], size_of(layers.values())
    sides = [math.isqrt(places)] * 2 if inputs is None else [side // 32 for side in inputs]
    return {**told, "hidden_size": wide[1], "map_size": sides} if math.prod(sides) == places else None


def wide_layer(arguments: Mapping[str, Any], shapes: Shapes) -> Shapes:
    """Return the shape of VGG's first wide layer as a convolution over the map; nothing for other models."""
    if arguments.get("hidden_size") is None:
        return {}
    return {"fc1.0": (*arguments["map_size"], arguments["widths"][-1], shapes["fc1.0"][-1])}


def _convnext_arguments(name: str, shapes: Shapes) -> dict[str, Any] | None:
    firsts = [shapes.get(f"{name}_stage_{stage}_block_0_depthwise_conv.0", ()) for stage in range(4)]
    if not all(firsts):
        return None
    depths = [_count(shapes, f"{name}_stage_{stage}_block_{{}}_depthwise_conv.0", 0) for stage in range(4)]
    return {"depths": depths, "widths": [first[-1] for first in firsts]}


def _count(shapes: Shapes, name: str, first: int) -> int:
    """Return how many tensors there are whose names are counted up."""
    return next(place for place in range(len(shapes) + 1) if name.format(first + place) not in shapes)


_STEMS = {
    "mobilenetv1": ("conv1", "conv1_bn", 32),
    "mobilenetv2": ("Conv1", "bn_Conv1", 32),
    "mobilenetv3": ("conv", "conv_bn", 16),
    "efficientnet": ("stem_conv", "stem_bn", 32),
}


def _mobile_arguments(family: str, shapes: Shapes, layers: Mapping[str, Layer]) -> dict[str, Any] | None:
    conv, norm, _ = _STEMS[family]
    if len(shapes.get(f"{conv}.0", ())) != 4:
        return None
    padding = "symmetric" if f"{conv}_padding" in layers else "same"
    if family == "mobilenetv1" and (not layers or "conv_pad_2" in layers):
        padding = "behind"
    told: dict[str, Any] = {"norm_eps": _epsilon(layers, norm, 1e-3), "padding": padding}
    if family in ("mobilenetv1", "mobilenetv2"):
        model = ARCHITECTURES[f"{family}_100"]
        width = next((width for width in _WIDTHS if _is_of_width(model, shapes, width)), None)
        return None if width is None else {**told, "width": width}
    return told


def _is_of_width(model: Architecture, shapes: Shapes, width: float) -> bool:
    return _has(shapes, model.graph({"width": width}, (None, None, 3)), model)


def _epsilon(layers: Mapping[str, Layer], name: str, default: float) -> float:
    said = layers[name].settings.get("epsilon", default) if name in layers else default
    return float(said) if isinstance(said, (int, float)) else default


def _check(path: Path, graph: Graph, layers: Mapping[str, Layer]) -> None:
    """Compare every layer that the file describes with what it has to be for our model to compute the same."""
    for node in graph.nodes.values():
        if (layer := layers.get(node.name)) is None:
            continue
        if layer.kind != node.kind:
            raise _other(path, f"has a {layer.kind[:40]!r} called {node.name!r} where the model has a {node.kind}")
        for key in node.checked:
            wanted, said = node.settings.get(key, _DEFAULTS.get(key)), _said(layer, key)
            if said != wanted:
                raise _other(
                    path, f"has {key}={ascii(said)[:40]} in its layer {node.name!r}, where the model has {wanted!r}"
                )


def _said(layer: Layer, key: str) -> Any:
    said = layer.settings.get(key, _DEFAULTS.get(key))
    if isinstance(said, dict):  # an activation that is an object
        said = said.get("config", said.get("class_name"))
    if key == "activation" and said == "swish":
        return "silu"
    return [said, said] if key in ("strides", "kernel_size", "pool_size") and isinstance(said, int) else said


def _other(path: Path, why: str) -> zoo.IntegrityError:
    return zoo.IntegrityError(f"{path} {why}; load it with Keras")
