"""VGG as keras.applications.vgg16 has it: two wide layers over a map of one size, or none."""

from collections.abc import Mapping
from typing import Any

import zoo
from zoo_keras.graph import KERNEL, Graph

_EPSILON = 1e-5


def vgg(graph: Graph, x: str, arguments: Mapping[str, Any], backwards: bool) -> str:
    """Add the layers of a `VGG` with these arguments; return the name of the last map."""
    place = 0
    for stage, (depth, width) in enumerate(zip(arguments["depths"], arguments["widths"], strict=True), start=1):
        for number in range(1, depth + 1):
            name, norm = f"block{stage}_conv{number}", arguments["norm"]
            activation = "linear" if norm else "relu"
            x = graph.convolution(
                name,
                x,
                f"features.{place}",
                width,
                3,
                bias=True,
                activation=activation,
                backwards=backwards and not place,
            )
            if norm:
                x = graph.batch_norm(f"{name}_bn", x, f"features.{place + 1}", _EPSILON)
                x = graph.add("Activation", f"{name}_relu", x, activation="relu")
            place += 3 if norm else 2
        x = graph.add("MaxPooling2D", f"block{stage}_pool", x, pool_size=[2, 2], strides=[2, 2], padding="valid")
        place += 1
    return x


def pooled(graph: Graph, x: str, arguments: Mapping[str, Any]) -> str:
    """Add the wide layers, or the mean over the map where there are none."""
    if (width := arguments["hidden_size"]) is None:
        return graph.add("GlobalAveragePooling2D", "avg_pool", x)
    height, across, _ = graph.shape
    if height is not None and across is not None and [height // 32, across // 32] != arguments["map_size"]:
        sides = [32 * side for side in arguments["map_size"]]
        raise zoo.UsageError(
            f"in Keras these wide layers take pictures of {sides[0]}x{sides[1]}, not of {height}x{across}; "
            "export it as a graph: --to onnx"
        )
    x = graph.add("Flatten", "flatten", x)
    x = graph.dense("fc1", x, "pre_logits.fc1", width, "relu", axes=KERNEL)
    return graph.dense("fc2", x, "pre_logits.fc2", width, "relu", dims=2)
