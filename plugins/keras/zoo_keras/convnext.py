"""ConvNeXt as keras.applications.convnext has it: linear layers in its blocks, the name of the model in every name."""

from collections.abc import Mapping
from typing import Any

from zoo_keras.graph import Graph, Node, Weight

KERAS: dict[str, Any] = {}
_EPSILON = 1e-6


def convnext(graph: Graph, x: str, arguments: Mapping[str, Any], backwards: bool) -> str:
    """Add the layers of a `ConvNeXt` with these arguments; return the name of the last map."""
    name = arguments["name"]
    for stage, (depth, width) in enumerate(zip(arguments["depths"], arguments["widths"], strict=True)):
        if stage == 0:
            x = graph.convolution(f"{name}_stem_conv", x, "stem.0", width, 4, 4, padding="valid", bias=True)
            x = graph.layer_norm(f"{name}_stem_layernorm", x, "stem.1", _EPSILON)
        else:
            down, target = f"{name}_downsampling", f"stages.{stage}.downsample"
            x = graph.layer_norm(f"{down}_layernorm_{stage - 1}", x, f"{target}.0", _EPSILON)
            x = graph.convolution(f"{down}_conv_{stage - 1}", x, f"{target}.1", width, 2, 2, padding="valid", bias=True)
        for block in range(depth):
            x = _block(graph, x, f"{name}_stage_{stage}_block_{block}", f"stages.{stage}.blocks.{block}", width)
    return x


def pooled(graph: Graph, x: str, arguments: Mapping[str, Any]) -> str:
    """Add the mean over the map, and its norm."""
    x = graph.add("GlobalAveragePooling2D", "avg_pool", x)
    return graph.layer_norm(f"{arguments['name']}_head_layernorm", x, "head.norm", _EPSILON)


def _block(graph: Graph, x: str, name: str, target: str, width: int) -> str:
    before = x
    x = graph.convolution(f"{name}_depthwise_conv", x, f"{target}.conv_dw", width, 7, bias=True, groups=width)
    x = graph.layer_norm(f"{name}_layernorm", x, f"{target}.norm", _EPSILON)
    x = graph.dense(f"{name}_pointwise_conv_1", x, f"{target}.mlp.fc1", 4 * width)
    x = graph.add("Activation", f"{name}_gelu", x, activation="gelu")
    x = graph.dense(f"{name}_pointwise_conv_2", x, f"{target}.mlp.fc2", width)
    scale = Node(
        f"{name}_layer_scale",
        "LayerScale",
        {"init_values": 1e-6, "projection_dim": width},
        (x,),
        (Weight(f"{target}.gamma"),),
        module="keras.src.applications.convnext",
    )
    graph.nodes[scale.name] = scale
    return graph.add("Add", f"{name}_add", before, scale.name)
