"""Write a weights folder as a `.keras` file: the layers as Keras has them, and what pictures go through first."""

import datetime
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor

import zoo
from zoo_keras.architectures import ARCHITECTURES
from zoo_keras.archive import WEIGHTS
from zoo_keras.autoencoders import AUTOENCODERS
from zoo_keras.graph import Graph, Node, Weight

_VERSION = "3.15.1"
"""Of the Keras whose form this is; every Keras 3 opens it."""
_MERGES = ("Add", "Multiply", "Concatenate")
_PLAIN = ("Dense", "Activation", "Flatten", "Reshape", "Permute", "LayerScale", "Rescaling", *_MERGES)
_FREE = (
    "num_classes",
    "drop_path_rate",
    "norm_momentum",
    "pool_size",
    "conv_mlp",
    "head_norm_eps",
    "image_size",
    "fixed_map",
)


def write_archive(weights: Path, out: Path) -> None:
    """Write a weights folder as a `.keras` file. Raise UsageError for a model that Keras has no layers for."""
    known = zoo.describe(weights)
    graph = _graph(known)
    tensors = zoo.load(weights, dtype="float32").state_dict()
    metadata = {
        "keras_version": _VERSION,
        "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
        **({"labels": list(known.labels)} if known.labels else {}),
    }
    content = out.with_name(f"{out.name}.h5")
    try:
        _write_weights(content, graph, tensors)
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("metadata.json", json.dumps(metadata))
            archive.writestr("config.json", json.dumps(_functional(graph, known.architecture)))
            archive.write(content, WEIGHTS)
    finally:
        content.unlink(missing_ok=True)


def _graph(known: Any) -> Graph:
    name, arguments = known.architecture, known.arguments
    if known.head is not None or (name not in ARCHITECTURES and name not in AUTOENCODERS):
        what = f"{known.task} on a {name}" if known.head is not None else name
        raise zoo.UsageError(
            f"there are no layers of Keras here for {what}; there are for "
            f"{', '.join((*ARCHITECTURES, *AUTOENCODERS))}; "
            "export it as a graph: --to onnx"
        )
    if (inputs := known.preprocessing) is None:
        raise zoo.UsageError(
            f"the weights of {name} do not say how pictures become inputs, which is a layer of the model in Keras; "
            "add `inputs` to their config.json"
        )
    size = arguments.get("image_size", list(inputs.image_size))
    height, width = (size, size) if isinstance(size, int) else size
    shape = (height, width, arguments["channels"])
    if name in AUTOENCODERS:
        if arguments["num_classes"]:
            raise zoo.UsageError(
                f"a {name} with a head for classes reconstructs nothing in Keras; export it with --to onnx"
            )
        graph = Graph(shape)
        x = graph.input()
        x = _scaled(inputs, 1)(graph, x)
        AUTOENCODERS[name](graph, x, arguments)
        return graph
    model = ARCHITECTURES[name]
    told = {key: value for key, value in arguments.items() if key not in (*_FREE, "channels")}
    if unknown := sorted(told.keys() - model.arguments.keys()):
        raise zoo.UsageError(f"there is no {unknown[0]} in Keras's {name}; export it as a graph: --to onnx")
    return model.graph(arguments, shape, arguments["num_classes"], before=_scaled(inputs, 255))


def _scaled(inputs: Any, whole: int) -> Callable[[Graph, str], str]:
    """Return what adds the preprocessing as a layer, of pictures whose pixels go up to `whole`."""
    channels = inputs.channels
    mean, std = ([*values] * (channels if len(values) == 1 else 1) for values in (inputs.mean, inputs.std))

    def add(graph: Graph, x: str) -> str:
        scale = [1 / (whole * value) for value in std]
        offset = [-m / s for m, s in zip(mean, std, strict=True)]
        if whole == 1 and not any(mean) and set(std) == {1.0}:
            return x
        return graph.add("Rescaling", "preprocessing", x, scale=scale, offset=offset)

    return add


def _write_weights(path: Path, graph: Graph, tensors: dict[str, Tensor]) -> None:
    places = graph.paths()
    with h5py.File(path, "w") as file:
        for node in graph.nodes.values():
            group = file.create_group(f"{places[node.name]}/vars")
            group.attrs["name"] = node.name
            for place, weight in enumerate(node.weights):
                value = _theirs(tensors[weight.target], weight)
                value = value.reshape(-1, value.shape[-1]) if node.kind == "Dense" and value.ndim > 2 else value
                group.create_dataset(str(place), data=value)


def _theirs(tensor: Tensor, weight: Weight) -> "np.ndarray[Any, Any]":
    """Return our tensor with Keras's axes."""
    if weight.dims is not None:
        tensor = tensor.reshape((*tensor.shape, *[1] * weight.dims)[: weight.dims])
    if weight.axes is not None:
        axes = [axis for axis in weight.axes if isinstance(axis, int)]
        tensor = tensor.permute([axes.index(axis) for axis in range(len(axes))])
    return tensor.detach().to(torch.float32).contiguous().numpy()


def _functional(graph: Graph, name: str) -> dict[str, Any]:
    nodes = graph.ordered()
    inputs, outputs = [nodes[0].name, 0, 0], [nodes[-1].name, 0, 0]
    config = {
        "name": name,
        "trainable": True,
        "layers": [_layer(node) for node in nodes],
        "input_layers": inputs,
        "output_layers": outputs,
    }
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": config,
        "registered_name": "Functional",
    }


def _layer(node: Node) -> dict[str, Any]:
    tensors = [
        {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None], "dtype": "float32", "keras_history": [name, 0, 0]},
        }
        for name in node.inputs
    ]
    formed = (
        {}
        if node.kind in (*_PLAIN, "InputLayer", "BatchNormalization", "LayerNormalization")
        else {"data_format": "channels_last"}
    )
    return {
        "module": node.module,
        "class_name": node.kind,
        "config": {"name": node.name, **node.settings, **formed},
        "registered_name": None,
        "name": node.name,
        "inbound_nodes": [{"args": [tensors] if node.kind in _MERGES else tensors, "kwargs": {}}] if tensors else [],
    }
