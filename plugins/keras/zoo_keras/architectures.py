"""The architectures of Keras Applications that Zoo has: by our names, with what Keras has fixed of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from zoo_keras import convnext, mobile, mobilenetv1, resnet, resnetv2, vgg
from zoo_keras.graph import Graph

Mode = Literal["caffe", "tf", "torch"]
"""What Keras calls how pictures become inputs: BGR minus a mean, -1 to 1, or mean and deviation of ImageNet."""
Pooling = Callable[[Graph, str, Mapping[str, Any]], str]
"""Adds what is between the last map and the classifier."""


def averaged(graph: Graph, x: str, arguments: Mapping[str, Any]) -> str:
    """Add the mean over the map."""
    return graph.add("GlobalAveragePooling2D", "avg_pool", x)


def kept(graph: Graph, x: str, arguments: Mapping[str, Any]) -> str:
    """Add the mean over the map, as a map of one pixel."""
    return graph.add("GlobalAveragePooling2D", "avg_pool", x, keepdims=True)


@dataclass(frozen=True)
class Architecture:
    """One of our models in Keras's names. `body` adds its layers, `arguments` are those that Keras has fixed.

    `classifier` is the name of its last layer and of ours; `dims` are the dimensions of its weight where ours has
    others: 4 where it is a convolution there.
    """

    name: str
    body: Callable[[Graph, str, Mapping[str, Any], bool], str]
    arguments: Mapping[str, Any]
    classifier: tuple[str, str]
    mode: Mode
    image_size: int = 224
    inside: bool = False
    pooled: Pooling = averaged
    dims: int | None = None

    def graph(
        self,
        arguments: Mapping[str, Any],
        shape: tuple[int | None, int | None, int],
        num_classes: int = 0,
        *,
        before: Callable[[Graph, str], str] | None = None,
        backwards: bool = False,
        activation: str = "softmax",
    ) -> Graph:
        """Return the whole model. `before` adds what pictures go through first."""
        graph = Graph(shape)
        x = graph.input()
        x = before(graph, x) if before else x
        x = self.body(graph, x, {**self.arguments, **arguments}, backwards)
        layer, target = self.classifier
        x = self.pooled(graph, x, {**self.arguments, **arguments})
        if not num_classes:
            return graph
        if self.dims == 4:
            x = graph.convolution(layer, x, target, num_classes, 1, bias=True, dims=4)
            x = graph.add("Flatten", "flatten", x)
            graph.add("Activation", "predictions", x, activation=activation)
        else:
            graph.dense(layer, x, target, num_classes, activation, dims=self.dims)
        return graph


_RESNETS: dict[str, tuple[str, list[int]]] = {
    "resnet18": ("basic", [2, 2, 2, 2]),
    "resnet34": ("basic", [3, 4, 6, 3]),
    "resnet50": ("bottleneck", [3, 4, 6, 3]),
    "resnet101": ("bottleneck", [3, 4, 23, 3]),
}
_CONVNEXTS = {
    "convnext_tiny": ([3, 3, 9, 3], [96, 192, 384, 768]),
    "convnext_small": ([3, 3, 27, 3], [96, 192, 384, 768]),
    "convnext_base": ([3, 3, 27, 3], [128, 256, 512, 1024]),
}
_EFFICIENTNETS = {"b0": (1.0, 1.0, 224), "b1": (1.0, 1.1, 240), "b2": (1.1, 1.2, 260), "b3": (1.2, 1.4, 300)}
_DENSE = ("predictions", "classifier")

ARCHITECTURES: dict[str, Architecture] = {
    **{
        name: Architecture(
            name,
            resnet.resnet,
            {"block": block, "depths": depths, "widths": [64, 128, 256, 512], "cifar_stem": False, **resnet.KERAS},
            ("predictions", "fc"),
            "caffe",
        )
        for name, (block, depths) in _RESNETS.items()
    },
    **{
        name: Architecture(
            name,
            resnetv2.resnetv2,
            {"depths": _RESNETS[f"resnet{size}"][1], "widths": [64, 128, 256, 512], **resnetv2.KERAS},
            ("predictions", "head.fc"),
            "tf",
            dims=2,
        )
        for size, name in ((50, "resnetv2_50"), (101, "resnetv2_101"))
    },
    **{
        name: Architecture(
            name,
            vgg.vgg,
            {
                **{"depths": [2, 2, 3, 3, 3], "widths": [64, 128, 256, 512, 512], "norm": norm},
                **{"hidden_size": 4096, "map_size": [7, 7]},
            },
            ("predictions", "head.fc"),
            "caffe",
            pooled=vgg.pooled,
        )
        for name, norm in (("vgg16", False), ("vgg16_bn", True))
    },
    "mobilenetv1_100": Architecture(
        "mobilenetv1_100",
        mobilenetv1.mobilenetv1,
        {"width": 1.0, **mobilenetv1.KERAS},
        ("conv_preds", "classifier"),
        "tf",
        pooled=kept,
        dims=4,
    ),
    "mobilenetv2_100": Architecture(
        "mobilenetv2_100", mobile.mobilenetv2, {"width": 1.0, **mobile.KERAS}, _DENSE, "tf"
    ),
    **{
        f"mobilenetv3_{variant}_100": Architecture(
            f"mobilenetv3_{variant}_100",
            mobile.mobilenetv3,
            {"variant": variant, "width": 1.0, **mobile.KERAS},
            ("logits", "classifier"),
            "tf",
            inside=True,
            pooled=lambda graph, x, arguments: x,
            dims=4,
        )
        for variant in ("small", "large")
    },
    **{
        f"efficientnet_{name}": Architecture(
            f"efficientnet_{name}",
            mobile.efficientnet,
            {"width": width, "depth": depth, **mobile.KERAS},
            _DENSE,
            "torch",
            size,
            inside=True,
        )
        for name, (width, depth, size) in _EFFICIENTNETS.items()
    },
    **{
        name: Architecture(
            name,
            convnext.convnext,
            {"depths": depths, "widths": widths, "name": name},
            (f"{name}_head_dense", "head.fc"),
            "torch",
            inside=True,
            pooled=convnext.pooled,
        )
        for name, (depths, widths) in _CONVNEXTS.items()
    },
}
