"""ResNet v2 as keras.applications.resnet_v2 has it: norms first, a stride in the last block of a stage."""

from collections.abc import Mapping
from typing import Any

from zoo_keras.graph import Graph

KERAS = {"conv_bias": True, "norm_eps": 1.001e-5, "stride_last": True, "zero_padded_pool": True}


def resnetv2(graph: Graph, x: str, arguments: Mapping[str, Any], backwards: bool) -> str:
    """Add the layers of a `ResNetV2` with these arguments; return the name of the last map."""
    bias, last = arguments["conv_bias"], arguments["stride_last"]
    widths = arguments["widths"]
    x = graph.add("ZeroPadding2D", "conv1_pad", x, padding=[[3, 3], [3, 3]])
    x = graph.convolution("conv1_conv", x, "stem.conv", widths[0], 7, 2, padding="valid", bias=bias)
    if arguments["zero_padded_pool"]:
        x = graph.add("ZeroPadding2D", "pool1_pad", x, padding=[[1, 1], [1, 1]])
    else:
        x = _repeated_edges(graph, x)
    x = graph.add("MaxPooling2D", "pool1_pool", x, pool_size=[3, 3], strides=[2, 2], padding="valid")
    for stage, (depth, width) in enumerate(zip(arguments["depths"], widths, strict=True)):
        strided = None if stage == (3 if last else 0) else (depth - 1 if last else 0)
        for block in range(depth):
            names = f"conv{stage + 2}_block{block + 1}", f"stages.{stage}.blocks.{block}"
            x = _block(graph, x, names, width, 2 if block == strided else 1, arguments)
    x = graph.batch_norm("post_bn", x, "norm", arguments["norm_eps"])
    return graph.add("Activation", "post_relu", x, activation="relu")


def _block(graph: Graph, x: str, names: tuple[str, str], width: int, stride: int, arguments: Mapping[str, Any]) -> str:
    (name, target), epsilon, bias = names, arguments["norm_eps"], arguments["conv_bias"]

    def normed(x: str, layer: str, norm: str) -> str:
        x = graph.batch_norm(f"{name}_{layer}_bn", x, f"{target}.{norm}", epsilon)
        return graph.add("Activation", f"{name}_{layer}_relu", x, activation="relu")

    activated, shortcut = normed(x, "preact", "norm1"), x
    if target.endswith(".0"):
        beside = f"{target}.downsample.conv"
        shortcut = graph.convolution(
            f"{name}_0_conv", activated, beside, 4 * width, 1, stride, padding="valid", bias=bias
        )
    elif stride > 1:
        shortcut = graph.add(
            "MaxPooling2D", f"{name}_0_pool", x, pool_size=[1, 1], strides=[stride] * 2, padding="valid"
        )
    x = graph.convolution(f"{name}_1_conv", activated, f"{target}.conv1", width, 1, padding="valid")
    x = graph.add("ZeroPadding2D", f"{name}_2_pad", normed(x, "1", "norm2"), padding=[[1, 1], [1, 1]])
    x = graph.convolution(f"{name}_2_conv", x, f"{target}.conv2", width, 3, stride, padding="valid")
    x = graph.convolution(
        f"{name}_3_conv", normed(x, "2", "norm3"), f"{target}.conv3", 4 * width, 1, padding="valid", bias=bias
    )
    return graph.add("Add", f"{name}_out", shortcut, x)


def _repeated_edges(graph: Graph, x: str) -> str:
    """Add what repeats the edges of the stem's map: what pooling finds largest is then as if nothing were padded."""
    sides = [0 if side is None else -(-side // 2) for side in graph.shape[:2]]
    for axis, (side, ends) in enumerate(zip(sides, (("top", "bottom"), ("left", "right")), strict=True)):
        edges = []
        for place, end in enumerate(ends):
            cropping = [[0, 0], [0, 0]]
            cropping[axis][1 - place] = side - 1
            edges.append(graph.add("Cropping2D", f"pool1_{end}", x, cropping=cropping))
        x = graph.add(
            "Concatenate", f"pool1_{'rows' if axis == 0 else 'columns'}", edges[0], x, edges[1], axis=axis + 1
        )
    return x
