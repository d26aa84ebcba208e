"""ResNet as keras.applications.resnet has it: every convolution with a bias, a stride in the first 1x1."""

from collections.abc import Mapping
from typing import Any

from zoo_keras.graph import Graph

KERAS = {"conv_bias": True, "norm_eps": 1.001e-5, "stride_in_1x1": True}


def resnet(graph: Graph, x: str, arguments: Mapping[str, Any], backwards: bool) -> str:
    """Add the layers of a `ResNet` with these arguments; return the name of the last map."""
    epsilon, bias = arguments["norm_eps"], arguments["conv_bias"]
    widths, small = arguments["widths"], arguments["cifar_stem"]

    def convolved(name: str, x: str, target: str, norm: str, filters: int, kernel: int, stride: int = 1) -> str:
        symmetric = stride > 1 and kernel > 1
        if symmetric:
            x = graph.add("ZeroPadding2D", f"{name}_pad", x, padding=[[kernel // 2] * 2] * 2)
        padding = "valid" if symmetric or kernel == 1 else "same"
        x = graph.convolution(f"{name}_conv", x, target, filters, kernel, stride, padding=padding, bias=bias)
        return graph.batch_norm(f"{name}_bn", x, norm, epsilon)

    if small:
        x = graph.convolution("conv1_conv", x, "conv1", widths[0], 3, bias=bias, backwards=backwards)
    else:
        x = graph.add("ZeroPadding2D", "conv1_pad", x, padding=[[3, 3], [3, 3]])
        x = graph.convolution(
            "conv1_conv", x, "conv1", widths[0], 7, 2, padding="valid", bias=bias, backwards=backwards
        )
    x = graph.batch_norm("conv1_bn", x, "bn1", epsilon)
    x = graph.add("Activation", "conv1_relu", x, activation="relu")
    if not small:
        x = graph.add("ZeroPadding2D", "pool1_pad", x, padding=[[1, 1], [1, 1]])
        x = graph.add("MaxPooling2D", "pool1_pool", x, pool_size=[3, 3], strides=[2, 2], padding="valid")
    bottleneck = arguments["block"] == "bottleneck"
    inputs = widths[0]
    for stage, (depth, width) in enumerate(zip(arguments["depths"], widths, strict=True), start=1):
        outputs = width * (4 if bottleneck else 1)
        for block in range(depth):
            name, target = f"conv{stage + 1}_block{block + 1}", f"layer{stage}.{block}"
            stride = 2 if stage > 1 and block == 0 else 1
            shortcut = x
            if stride > 1 or inputs != outputs:
                shortcut = convolved(
                    f"{name}_0", x, f"{target}.downsample.0", f"{target}.downsample.1", outputs, 1, stride
                )
            first, second = (stride, 1) if arguments["stride_in_1x1"] or not bottleneck else (1, stride)
            layers = [(width, 1, first), (width, 3, second), (outputs, 1, 1)]
            for place, (filters, kernel, step) in enumerate(
                layers if bottleneck else [(width, 3, first), (outputs, 3, 1)], start=1
            ):
                if place > 1:
                    x = graph.add("Activation", f"{name}_{place - 1}_relu", x, activation="relu")
                x = convolved(
                    f"{name}_{place}", x, f"{target}.conv{place}", f"{target}.bn{place}", filters, kernel, step
                )
            x = graph.add("Add", f"{name}_add", shortcut, x)
            x = graph.add("Activation", f"{name}_out", x, activation="relu")
            inputs = outputs
    return x
