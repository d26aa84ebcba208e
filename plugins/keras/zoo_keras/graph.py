"""A model as Keras has it: layers by name, which inputs each takes, and which tensors of ours its weights are.

One description serves three ends: the layout by which weights are read, the check of what a file says of its layers,
and the `.keras` file that is written.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from zoo_keras.configuration import snake_case

Axes = tuple[int | tuple[int, ...], ...] | None


class Weight(NamedTuple):
    """One weight of a layer: our name for it, for each axis of ours which of Keras's it is, and their dimensions.

    `reversed` is our axis that Keras counts backwards.
    """

    target: str
    axes: Axes = None
    dims: int | None = None
    reversed: int | None = None


@dataclass(frozen=True)
class Node:
    """One layer. `checked` are the settings without which its weights would mean something else."""

    name: str
    kind: str
    settings: dict[str, Any]
    inputs: tuple[str, ...]
    weights: tuple[Weight, ...] = ()
    checked: tuple[str, ...] = ()
    module: str = "keras.layers"


KERNEL: Axes = (3, 2, 0, 1)
DEPTHWISE: Axes = (2, 3, 0, 1)
MATRIX: Axes = (1, 0)
_CONVOLVED = ("kernel_size", "strides", "dilation_rate", "use_bias", "activation")


@dataclass
class Graph:
    """Layers in their order; each method adds one, and returns its name. `x` is the layer whose output it takes."""

    shape: tuple[int | None, int | None, int]
    nodes: dict[str, Node] = field(default_factory=dict)

    def add(self, kind: str, name: str, *inputs: str, **settings: Any) -> str:
        """Add a layer without weights."""
        checked = tuple(key for key in ("activation", "max_value", "pool_size", "strides") if key in settings)
        return self._put(Node(name, kind, settings, inputs, checked=checked))

    def input(self, name: str = "input_layer") -> str:
        """Add the input."""
        return self._put(Node(name, "InputLayer", {"batch_shape": [None, *self.shape], "dtype": "float32"}, ()))

    def convolution(
        self,
        name: str,
        x: str,
        target: str,
        filters: int,
        kernel: int,
        stride: int = 1,
        *,
        padding: str = "same",
        bias: bool = False,
        activation: str = "linear",
        groups: int = 1,
        dims: int | None = None,
        backwards: bool = False,
    ) -> str:
        """Add a Conv2D; `backwards` where it takes channels as BGR."""
        settings = {
            **{"filters": filters, "kernel_size": [kernel] * 2, "strides": [stride] * 2, "padding": padding},
            **{"use_bias": bias, "activation": activation, "groups": groups},
        }
        weights = [Weight(f"{target}.weight", KERNEL, dims, 1 if backwards else None)]
        weights += [Weight(f"{target}.bias")] if bias else []
        return self._put(Node(name, "Conv2D", settings, (x,), tuple(weights), (*_CONVOLVED, "groups", "filters")))

    def depthwise(self, name: str, x: str, target: str, kernel: int, stride: int, padding: str = "same") -> str:
        """Add a DepthwiseConv2D without bias."""
        settings = {"kernel_size": [kernel] * 2, "strides": [stride] * 2, "padding": padding, "use_bias": False}
        return self._put(
            Node(name, "DepthwiseConv2D", settings, (x,), (Weight(f"{target}.weight", DEPTHWISE),), _CONVOLVED)
        )

    def dense(
        self,
        name: str,
        x: str,
        target: str,
        units: int,
        activation: str = "linear",
        *,
        axes: Axes = MATRIX,
        dims: int | None = None,
    ) -> str:
        """Add a Dense; `axes` and `dims` where ours is a convolution."""
        weights = (Weight(f"{target}.weight", axes, dims), Weight(f"{target}.bias"))
        settings = {"units": units, "activation": activation, "use_bias": True}
        checked = ("use_bias", "units", *(("activation",) if activation == "relu" else ()))
        return self._put(Node(name, "Dense", settings, (x,), weights, checked))

    def batch_norm(self, name: str, x: str, target: str, epsilon: float) -> str:
        """Add a BatchNormalization over channels."""
        weights = tuple(Weight(f"{target}.{leaf}") for leaf in ("weight", "bias", "running_mean", "running_var"))
        settings = {"axis": -1, "epsilon": epsilon, "momentum": 0.9}
        return self._put(Node(name, "BatchNormalization", settings, (x,), weights, ("epsilon", "center", "scale")))

    def layer_norm(self, name: str, x: str, target: str, epsilon: float) -> str:
        """Add a LayerNormalization over channels."""
        weights = (Weight(f"{target}.weight"), Weight(f"{target}.bias"))
        settings = {"axis": -1, "epsilon": epsilon}
        return self._put(Node(name, "LayerNormalization", settings, (x,), weights, ("epsilon", "center", "scale")))

    def paths(self) -> dict[str, str]:
        """Return where a file has each layer: by its class, counted in Keras's order."""
        used: Counter[str] = Counter()
        found = {}
        for node in self.ordered():
            kind = snake_case(node.kind)
            found[node.name] = f"layers/{kind}" + (f"_{used[kind]}" if used[kind] else "")
            used[kind] += 1
        return found

    def ordered(self) -> list[Node]:
        """Return the layers as Keras sorts them: those farthest from the output first, then as they are met from it."""
        met: dict[str, int] = {}
        finished: dict[str, None] = {}
        stack = [(next(reversed(self.nodes)), False)]
        while stack:
            name, done = stack.pop()
            if done:
                finished[name] = None
            elif name not in met:
                met[name] = len(met)
                stack.append((name, True))
                stack.extend((other, False) for other in reversed(self.nodes[name].inputs))
        depths = dict.fromkeys(finished, 0)
        for name in reversed(finished):
            for other in self.nodes[name].inputs:
                depths[other] = max(depths[other], depths[name] + 1)
        return [self.nodes[name] for name in sorted(finished, key=lambda name: (-depths[name], met[name]))]

    def weights(self) -> Mapping[str, Weight]:
        """Return every weight by the name that a file of Keras has it under."""
        return {
            f"{node.name}.{place}": weight for node in self.nodes.values() for place, weight in enumerate(node.weights)
        }

    def _put(self, node: Node) -> str:
        self.nodes[node.name] = node
        return node.name
