"""MobileNet as keras.applications.mobilenet has it: what strides is padded behind alone."""

from collections.abc import Mapping
from typing import Any

from zoo_keras.graph import Graph
from zoo_keras.mobile import rounded, strided

KERAS = {"norm_eps": 1e-3, "padding": "behind"}
# repeats, stride, width
_TABLE = [(1, 1, 64), (2, 2, 128), (2, 2, 256), (6, 2, 512), (2, 2, 1024)]


def mobilenetv1(graph: Graph, x: str, arguments: Mapping[str, Any], backwards: bool) -> str:
    """Add the layers of a `MobileNetV1` with these arguments; return the name of the last map."""
    scale, padding = arguments["width"], arguments["padding"]

    def normed(name: str, x: str, target: str) -> str:
        x = graph.batch_norm(f"{name}_bn", x, target, arguments["norm_eps"])
        return graph.add("Activation", f"{name}_activation", x, activation="relu6")

    def padded(x: str, number: int) -> str:
        if padding == "behind":
            return graph.add("ZeroPadding2D", f"conv_pad_{number}", x, padding=[[0, 1], [0, 1]])
        return strided(graph, x, f"conv_dw_{number}", arguments, 3, 2)

    x = x if padding == "behind" else strided(graph, x, "conv1", arguments, 3, 2)
    places = "valid" if padding == "symmetric" else "same"
    x = graph.convolution("conv1", x, "conv_stem", rounded(32 * scale), 3, 2, padding=places)
    x = normed("conv1", x, "bn1")
    number = 0
    for stage, (repeats, stride, width) in enumerate(_TABLE):
        for block in range(repeats):
            number += 1
            step, target = 1 if block else stride, f"blocks.{stage}.{block}"
            x = x if step == 1 else padded(x, number)
            places = "same" if step == 1 or padding == "same" else "valid"
            x = graph.depthwise(f"conv_dw_{number}", x, f"{target}.conv_dw", 3, step, places)
            x = normed(f"conv_dw_{number}", x, f"{target}.bn1")
            x = graph.convolution(f"conv_pw_{number}", x, f"{target}.conv_pw", rounded(width * scale), 1)
            x = normed(f"conv_pw_{number}", x, f"{target}.bn2")
    return x
