"""How Keras Applications store our models, as data: made from the same description that is checked and written."""

from collections.abc import Iterable
from typing import Any

import zoo
from zoo_keras.architectures import ARCHITECTURES, Architecture
from zoo_keras.graph import KERNEL, MATRIX, Graph

_OPTIONS = {
    "resnet": ("conv_bias", "norm_eps", "stride_in_1x1", "widths", "depths", "cifar_stem"),
    "resnetv2": ("conv_bias", "norm_eps", "stride_last", "zero_padded_pool", "widths", "depths"),
    "vgg": ("widths", "hidden_size", "map_size"),
    "mobilenetv1": ("norm_eps", "padding", "width"),
    "mobilenetv2": ("norm_eps", "padding", "width"),
    "mobilenetv3": ("norm_eps", "padding", "width"),
    "efficientnet": ("norm_eps", "padding", "width", "depth"),
    "convnext": ("depths", "widths"),
}
"""Which arguments of ours a file tells, by the function that describes the model."""
_STEMS = {
    **{"resnet": "conv1.weight", "resnetv2": "stem.conv.weight"},
    **{"vgg": "features.0.weight", "convnext": "stem.0.weight"},
}
_LEAVES = ("weight", "bias", "running_mean", "running_var")


def _renames(graph: Graph) -> tuple[zoo.Rename, ...]:
    return tuple(
        zoo.Rename(name, weight.target, weight.dims, axes=weight.axes, reversed=weight.reversed)
        for name, weight in graph.weights().items()
    )


def _resnet(backwards: bool) -> tuple[zoo.Rename, ...]:
    """Return pairs for any number of blocks: a layout serves every depth."""

    def of(theirs: str, ours: tuple[str, str], *, first: bool = False) -> Iterable[zoo.Rename]:
        counted = 1 if first and backwards else None
        yield zoo.Rename(f"{theirs}_conv.0", f"{ours[0]}.weight", axes=KERNEL, reversed=counted)
        yield zoo.Rename(f"{theirs}_conv.1", f"{ours[0]}.bias")
        for place, leaf in enumerate(_LEAVES):
            yield zoo.Rename(f"{theirs}_bn.{place}", f"{ours[1]}.{leaf}")

    block, layer = "conv{s+1}_block{b+1}_", "layer{s}.{b}."
    return (
        *of("conv1", ("conv1", "bn1"), first=True),
        *of(block + "0", (layer + "downsample.0", layer + "downsample.1")),
        *of(block + "{n}", (layer + "conv{n}", layer + "bn{n}")),
    )


def _resnetv2() -> tuple[zoo.Rename, ...]:
    def of(theirs: str, ours: str) -> Iterable[zoo.Rename]:
        yield zoo.Rename(f"{theirs}_conv.0", f"{ours}.weight", axes=KERNEL)
        yield zoo.Rename(f"{theirs}_conv.1", f"{ours}.bias")

    def norm(theirs: str, ours: str) -> Iterable[zoo.Rename]:
        for place, leaf in enumerate(_LEAVES):
            yield zoo.Rename(f"{theirs}_bn.{place}", f"{ours}.{leaf}")

    block, ours = "conv{s+2}_block{b+1}_", "stages.{s}.blocks.{b}."
    return (
        *of("conv1", "stem.conv"),
        *norm("post", "norm"),
        *norm(block + "preact", ours + "norm1"),
        *norm(block + "{n}", ours + "norm{n+1}"),
        *of(block + "0", ours + "downsample.conv"),
        *of(block + "{n}", ours + "conv{n}"),
    )


def _convnext(name: str) -> tuple[zoo.Rename, ...]:
    def of(theirs: str, ours: str, axes: Any = None) -> Iterable[zoo.Rename]:
        yield zoo.Rename(f"{theirs}.0", f"{ours}.weight", axes=axes)
        yield zoo.Rename(f"{theirs}.1", f"{ours}.bias")

    block, layer = f"{name}_stage_{{s}}_block_{{b}}_", "stages.{s}.blocks.{b}."
    return (
        *of(f"{name}_stem_conv", "stem.0", KERNEL),
        *of(f"{name}_stem_layernorm", "stem.1"),
        *of(f"{name}_downsampling_layernorm_{{n}}", "stages.{n+1}.downsample.0"),
        *of(f"{name}_downsampling_conv_{{n}}", "stages.{n+1}.downsample.1", KERNEL),
        *of(block + "depthwise_conv", layer + "conv_dw", KERNEL),
        *of(block + "layernorm", layer + "norm"),
        *of(block + "pointwise_conv_1", layer + "mlp.fc1", MATRIX),
        *of(block + "pointwise_conv_2", layer + "mlp.fc2", MATRIX),
        zoo.Rename(block + "layer_scale.0", layer + "gamma"),
        *of(f"{name}_head_layernorm", "head.norm"),
        *of("layer_normalization", "head.norm"),
        *of("layer_normalization_{n}", "head.norm"),
    )


def _layout(models: list[Architecture], backwards: bool) -> zoo.Layout:
    """Return the layout of models whose layers have the same names, of which the last has all."""
    model = models[-1]
    family = model.body.__name__
    stem = _STEMS.get(family, "conv_stem.weight")
    if family == "resnet":
        body = _resnet(backwards)
    elif family == "resnetv2":
        body = _resnetv2()
    elif family == "convnext":
        body = _convnext(model.name)
    else:
        body = _renames(model.graph({}, (None, None, 3), backwards=backwards))
    layer, target = model.classifier
    other = None if model.dims == 4 else model.dims
    head = (
        zoo.Rename(f"{layer}.0", f"{target}.weight", model.dims, axes=KERNEL if model.dims == 4 else MATRIX),
        zoo.Rename(f"{layer}.1", f"{target}.bias"),
        *(
            rename
            for name in ("dense", "dense_{n}")  # the head of whoever finetuned it; not where that is hidden layers
            for rename in (
                zoo.Rename(f"{name}.0", f"{target}.weight", other, axes=MATRIX),
                zoo.Rename(f"{name}.1", f"{target}.bias"),
            )
        ),
    )
    order = "bgr" if backwards else "rgb"
    return zoo.Layout(
        library="keras",
        models={model.name: {"architecture": model.name, "channel_order": order} for model in models},
        stem=stem,
        classifier=f"{target}.weight",
        options={name: name for name in _OPTIONS[family]},
        renames=(*body, *head),
    )


_ALIKE = ("resnetv2", "resnet", "efficientnet_")


def _families() -> dict[str, list[Architecture]]:
    """Return the models whose layers have the same names, those with the most last."""
    found: dict[str, list[Architecture]] = {}
    for model in ARCHITECTURES.values():
        found.setdefault(next((name for name in _ALIKE if name in model.name), model.name), []).append(model)
    return found


APPLICATIONS = tuple(
    _layout(models, backwards)
    for models in _families().values()
    for backwards in ((True, False) if models[0].mode == "caffe" else (False,))
)


def _convolved(theirs: str, ours: str) -> Iterable[zoo.Rename]:
    yield zoo.Rename(f"{theirs}_conv.0", f"{ours}.0.weight", axes=KERNEL)
    for place, leaf in enumerate(_LEAVES):
        yield zoo.Rename(f"{theirs}_bn.{place}", f"{ours}.1.{leaf}")


def _linear(theirs: str, ours: str, axes: Any = MATRIX) -> Iterable[zoo.Rename]:
    yield zoo.Rename(f"{theirs}.0", f"{ours}.weight", axes=axes)
    yield zoo.Rename(f"{theirs}.1", f"{ours}.bias")


AUTOENCODERS = (
    zoo.Layout(
        library="keras",
        models={"conv_autoencoder": {"architecture": "conv_autoencoder"}},
        stem="encoder.stages.0.0.0.weight",
        classifier="head.weight",
        options={name: name for name in ("image_size", "channels", "widths", "code_size")},
        renames=(
            *_convolved("encoder_{n}_down", "encoder.stages.{n}.0"),
            *_convolved("encoder_{n}_residual", "encoder.stages.{n}.1.body"),
            *_convolved("decoder_{n}", "decoder.stages.{n}"),
            *_linear("code", "code"),
            *_linear("unfolding", "decoder.code.0"),
            *_linear("pixels", "decoder.pixels.0", KERNEL),
        ),
    ),
    zoo.Layout(
        library="keras",
        models={"dense_autoencoder": {"architecture": "dense_autoencoder"}},
        stem="encoder.0.0.weight",
        classifier="head.weight",
        options={name: name for name in ("image_size", "channels", "hidden_sizes", "code_size")},
        renames=tuple(
            rename
            for theirs, ours in (
                ("encoder_{n}", "encoder.{n}.0"),
                ("decoder_{n}", "decoder.{n}.0"),
                ("pixels_{n}", "decoder.{n}"),
            )
            for rename in _linear(theirs, ours)
        ),
    ),
)
