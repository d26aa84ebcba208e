"""The networks of inverted residual blocks as Keras Applications have them: MobileNetV2, MobileNetV3, EfficientNet."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from zoo_keras.graph import Graph

KERAS = {"norm_eps": 1e-3, "padding": "same"}


class Block(NamedTuple):
    """One block: its place in our model, its sizes, and its activations by Keras's names."""

    target: str
    kernel: int
    stride: int
    expansion: float
    width: int
    squeeze: bool
    activation: str


# repeats, kernel, stride, expansion, width, squeeze, activation
_V2 = [
    [(1, 3, 1, 1, 16, False, "relu6")],
    [(2, 3, 2, 6, 24, False, "relu6")],
    [(3, 3, 2, 6, 32, False, "relu6")],
    [(4, 3, 2, 6, 64, False, "relu6")],
    [(3, 3, 1, 6, 96, False, "relu6")],
    [(3, 3, 2, 6, 160, False, "relu6")],
    [(1, 3, 1, 6, 320, False, "relu6")],
]
_B0 = [
    [(1, 3, 1, 1, 16, True, "silu")],
    [(2, 3, 2, 6, 24, True, "silu")],
    [(2, 5, 2, 6, 40, True, "silu")],
    [(3, 3, 2, 6, 80, True, "silu")],
    [(3, 5, 1, 6, 112, True, "silu")],
    [(4, 5, 2, 6, 192, True, "silu")],
    [(1, 3, 1, 6, 320, True, "silu")],
]
_V3: dict[str, list[list[tuple[int, int, int, float, int, bool, str]]]] = {
    "small": [
        [(1, 3, 2, 1, 16, True, "relu")],
        [(1, 3, 2, 4.5, 24, False, "relu"), (1, 3, 1, 3.67, 24, False, "relu")],
        [(1, 5, 2, 4, 40, True, "hard_swish"), (2, 5, 1, 6, 40, True, "hard_swish")],
        [(2, 5, 1, 3, 48, True, "hard_swish")],
        [(3, 5, 2, 6, 96, True, "hard_swish")],
    ],
    "large": [
        [(1, 3, 1, 1, 16, False, "relu")],
        [(1, 3, 2, 4, 24, False, "relu"), (1, 3, 1, 3, 24, False, "relu")],
        [(3, 5, 2, 3, 40, True, "relu")],
        [
            *((1, 3, 2, 6, 80, False, "hard_swish"), (1, 3, 1, 2.5, 80, False, "hard_swish")),
            (2, 3, 1, 2.3, 80, False, "hard_swish"),
        ],
        [(2, 3, 1, 6, 112, True, "hard_swish")],
        [(3, 5, 2, 6, 160, True, "hard_swish")],
    ],
}


class Names(NamedTuple):
    """How a family calls the layers of a block: before the name of the block, and behind it."""

    block: Callable[[int, int, int], str]
    expand: tuple[str, str]
    depthwise: tuple[str, str]
    reduce: str
    widen: str
    project: tuple[str, str]


def mobilenetv2(graph: Graph, x: str, arguments: Mapping[str, Any], backwards: bool) -> str:
    """Add the layers of a `MobileNetV2` with these arguments; return the name of the last map."""
    width, epsilon = arguments["width"], arguments["norm_eps"]
    names = Names(
        lambda place, stage, block: f"block_{place}_" if place else "expanded_conv_",
        ("expand", "expand_BN"),
        ("depthwise", "depthwise_BN"),
        "",
        "",
        ("project", "project_BN"),
    )
    x = _stem(graph, x, ("Conv1", "bn_Conv1"), rounded(32 * width), "relu6", arguments)
    x, _ = _blocks(graph, x, _scaled(_V2, width), rounded(32 * width), names, arguments)
    features = rounded(1280 * max(width, 1.0))
    return _head(graph, x, ("Conv_1", "Conv_1_bn"), ("conv_head", "bn2"), features, "relu6", epsilon)


def mobilenetv3(graph: Graph, x: str, arguments: Mapping[str, Any], backwards: bool) -> str:
    """Add the layers of a `MobileNetV3` with these arguments; return the name of the pooled features."""
    table, epsilon = _V3[arguments["variant"]], arguments["norm_eps"]
    names = Names(
        lambda place, stage, block: f"expanded_conv_{place}_" if place else "expanded_conv_",
        ("expand", "expand_bn"),
        ("depthwise", "depthwise_bn"),
        "squeeze_excite_conv",
        "squeeze_excite_conv_1",
        ("project", "project_bn"),
    )
    stem = rounded(16 * arguments["width"]) if arguments["width"] >= 0.75 else 16
    x = _stem(graph, x, ("conv", "conv_bn"), stem, "hard_swish", arguments)
    x, inputs = _blocks(graph, x, _scaled(table, arguments["width"]), stem, names, arguments)
    last = f"blocks.{len(table)}.0"
    wide = {"small": 576, "large": 960}[arguments["variant"]]
    x = _head(
        graph,
        x,
        ("conv_1", "conv_1_bn"),
        (f"{last}.conv", f"{last}.bn1"),
        rounded(wide * arguments["width"]),
        "hard_swish",
        epsilon,
    )
    x = graph.add("GlobalAveragePooling2D", "avg_pool", x, keepdims=True)
    features = {"small": 1024, "large": 1280}[arguments["variant"]]
    x = graph.convolution("conv_2", x, "conv_head", features, 1, bias=True)
    return graph.add("Activation", "conv_2_activation", x, activation="hard_swish")


def efficientnet(graph: Graph, x: str, arguments: Mapping[str, Any], backwards: bool) -> str:
    """Add the layers of an `EfficientNet` with these arguments; return the name of the last map."""
    width, depth = arguments["width"], arguments["depth"]
    names = Names(
        lambda place, stage, block: f"block{stage + 1}{chr(block + 97)}_",
        ("expand_conv", "expand_bn"),
        ("dwconv", "bn"),
        "se_reduce",
        "se_expand",
        ("project_conv", "project_bn"),
    )
    table = [[(math.ceil(rows[0][0] * depth), *rows[0][1:])] for rows in _B0]
    x = _stem(graph, x, ("stem_conv", "stem_bn"), rounded(32 * width), "silu", arguments)
    x, _ = _blocks(graph, x, _scaled(table, width), rounded(32 * width), names, arguments)
    features = rounded(1280 * width)
    return _head(graph, x, ("top_conv", "top_bn"), ("conv_head", "bn2"), features, "silu", arguments["norm_eps"])


def rounded(width: float, divisor: int = 8) -> int:
    """Return the nearest multiple of `divisor`, at least one of it, and never less than nine tenths of the width."""
    nearest = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * width else nearest


def _scaled(table: Any, width: float) -> Iterator[tuple[int, int, Block]]:
    for stage, rows in enumerate(table):
        block = 0
        for repeats, kernel, stride, expansion, channels, squeeze, activation in rows:
            for index in range(repeats):
                step = 1 if index else stride
                target = f"blocks.{stage}.{block}"
                yield (
                    stage,
                    block,
                    Block(target, kernel, step, expansion, rounded(channels * width), squeeze, activation),
                )
                block += 1


def _stem(graph: Graph, x: str, names: tuple[str, str], filters: int, activation: str, arguments: Any) -> str:
    x = strided(graph, x, names[0], arguments, 3, 2)
    padding = "same" if arguments["padding"] == "same" else "valid"
    x = graph.convolution(names[0], x, "conv_stem", filters, 3, 2, padding=padding)
    x = graph.batch_norm(names[1], x, "bn1", arguments["norm_eps"])
    return graph.add("Activation", f"{names[0]}_activation", x, activation=activation)


def strided(graph: Graph, x: str, name: str, arguments: Any, kernel: int, stride: int) -> str:
    """Pad before a convolution with a stride where both sides are padded alike: "same" pads less before."""
    if stride == 1 or arguments["padding"] == "same":
        return x
    return graph.add("ZeroPadding2D", f"{name}_padding", x, padding=[[kernel // 2] * 2] * 2)


def _blocks(graph: Graph, x: str, table: Any, inputs: int, names: Names, arguments: Any) -> tuple[str, int]:
    epsilon = arguments["norm_eps"]
    for place, (stage, number, block) in enumerate(table):
        name, before, expanded = names.block(place, stage, number), x, inputs
        norms, dw, pw = ("bn1", "bn2"), "conv_dw", "conv_pw"
        if block.expansion != 1:
            expanded = rounded(inputs * block.expansion)
            x = graph.convolution(name + names.expand[0], x, f"{block.target}.conv_pw", expanded, 1)
            x = graph.batch_norm(name + names.expand[1], x, f"{block.target}.bn1", epsilon)
            x = graph.add("Activation", f"{name}expand_activation", x, activation=block.activation)
            norms, pw = ("bn2", "bn3"), "conv_pwl"
        x = strided(graph, x, name + names.depthwise[0], arguments, block.kernel, block.stride)
        padding = "same" if block.stride == 1 or arguments["padding"] == "same" else "valid"
        x = graph.depthwise(name + names.depthwise[0], x, f"{block.target}.{dw}", block.kernel, block.stride, padding)
        x = graph.batch_norm(name + names.depthwise[1], x, f"{block.target}.{norms[0]}", epsilon)
        x = graph.add("Activation", f"{name}depthwise_activation", x, activation=block.activation)
        if block.squeeze:
            x = _squeezed(graph, x, name, names, block, inputs, expanded)
        x = graph.convolution(name + names.project[0], x, f"{block.target}.{pw}", block.width, 1)
        x = graph.batch_norm(name + names.project[1], x, f"{block.target}.{norms[1]}", epsilon)
        if block.stride == 1 and inputs == block.width:
            x = graph.add("Add", f"{name}add", before, x)
        inputs = block.width
    return x, inputs


def _squeezed(graph: Graph, x: str, name: str, names: Names, block: Block, inputs: int, expanded: int) -> str:
    """Add squeeze-and-excitation: EfficientNet counts by a block's inputs, MobileNetV3 by its expanded width."""
    v3 = names.reduce.startswith("squeeze")
    inside = rounded(expanded / 4) if v3 else round(inputs / 4)
    pooled = graph.add("GlobalAveragePooling2D", f"{name}se_squeeze", x, keepdims=True)
    pooled = graph.convolution(
        name + names.reduce,
        pooled,
        f"{block.target}.se.conv_reduce",
        inside,
        1,
        bias=True,
        activation="linear" if v3 else "silu",
    )
    if v3:
        pooled = graph.add("Activation", f"{name}se_relu", pooled, activation="relu")
    gate = graph.convolution(
        name + names.widen,
        pooled,
        f"{block.target}.se.conv_expand",
        expanded,
        1,
        bias=True,
        activation="linear" if v3 else "sigmoid",
    )
    if v3:
        gate = graph.add("Activation", f"{name}se_gate", gate, activation="hard_sigmoid")
    return graph.add("Multiply", f"{name}se_excite", x, gate)


def _head(
    graph: Graph,
    x: str,
    names: tuple[str, str],
    targets: tuple[str, str],
    filters: int,
    activation: str,
    epsilon: float,
) -> str:
    x = graph.convolution(names[0], x, targets[0], filters, 1)
    x = graph.batch_norm(names[1], x, targets[1], epsilon)
    return graph.add("Activation", f"{names[0]}_activation", x, activation=activation)
