"""Our dense and convolutional autoencoders as Keras has them: pictures in [0, 1] in and out.

Ours count a map's numbers by channel, row and column, Keras by row, column and channel: what is flattened is permuted
first where there are several channels, so that no weight changes.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from zoo_keras.configuration import Layer
from zoo_keras.graph import Graph

_EPSILON = 1e-5


def dense_autoencoder(graph: Graph, x: str, arguments: Mapping[str, Any]) -> str:
    """Add the layers of a `DenseAutoencoder`."""
    height, width = _size(arguments["image_size"])
    channels, hidden, code = arguments["channels"], arguments["hidden_sizes"] or [], arguments["code_size"]
    x = _flattened(graph, x, "pixels", channels)
    for place, units in enumerate([*hidden, code]):
        x = graph.dense(f"encoder_{place}", x, f"encoder.{place}.0", units, "relu")
    for place, units in enumerate(hidden[::-1]):
        x = graph.dense(f"decoder_{place}", x, f"decoder.{place}.0", units, "relu")
    last = len(hidden)
    x = graph.dense(f"pixels_{last}", x, f"decoder.{last}", channels * height * width, "sigmoid")
    return _unflattened(graph, x, "picture", (channels, height, width))


def conv_autoencoder(graph: Graph, x: str, arguments: Mapping[str, Any]) -> str:
    """Add the layers of a `ConvAutoencoder`."""
    height, width = _size(arguments["image_size"])
    channels, widths = arguments["channels"], arguments["widths"] or [32, 64, 128]
    for stage, filters in enumerate(widths):
        x = graph.add("ZeroPadding2D", f"encoder_{stage}_pad", x, padding=[[1, 1], [1, 1]])
        x = _convolved(graph, x, f"encoder_{stage}_down", f"encoder.stages.{stage}.0", filters, 2)
        refined = _convolved(graph, x, f"encoder_{stage}_residual", f"encoder.stages.{stage}.1.body", filters, 1)
        x = graph.add("Add", f"encoder_{stage}_add", x, refined)
    reduction = 2 ** len(widths)
    rows, columns = math.ceil(height / reduction), math.ceil(width / reduction)
    x = _flattened(graph, x, "map", widths[-1])
    x = graph.dense("code", x, "code", arguments["code_size"])
    x = graph.dense("unfolding", x, "decoder.code.0", widths[-1] * rows * columns, "relu")
    x = _unflattened(graph, x, "unfolded", (widths[-1], rows, columns))
    for stage, filters in enumerate(widths[-2::-1]):
        x = graph.add("UpSampling2D", f"decoder_{stage}_up", x, size=[2, 2], interpolation="nearest")
        x = _convolved(graph, x, f"decoder_{stage}", f"decoder.stages.{stage}", filters, 1)
    x = graph.convolution("pixels", x, "decoder.pixels.0", 4 * channels, 3, bias=True)
    rows, columns = rows * reduction // 2, columns * reduction // 2
    x = graph.add("Reshape", "pixels_split", x, target_shape=[rows, columns, channels, 2, 2])
    x = graph.add("Permute", "pixels_shuffled", x, dims=[1, 4, 2, 5, 3])
    x = graph.add("Reshape", "pixels_joined", x, target_shape=[2 * rows, 2 * columns, channels])
    cropping = [[0, 2 * rows - height], [0, 2 * columns - width]]
    x = graph.add("Cropping2D", "cropped", x, cropping=cropping)
    return graph.add("Activation", "picture", x, activation="sigmoid")


AUTOENCODERS = {"dense_autoencoder": dense_autoencoder, "conv_autoencoder": conv_autoencoder}


def dense_identity(
    layers: Sequence[Layer], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, Any], dict[str, str]] | None:
    """Return the arguments of a dense autoencoder and new names for its layers; None for any other model.

    It is one where linear layers follow each other with ReLU inside and a sigmoid at the end, as wide back as forth.
    """
    dense = [layer for layer in layers if layer.kind == "Dense"]
    others = {layer.kind for layer in layers} - {"Dense", *_PLAIN}
    if len(dense) < 2 or len(dense) % 2 or others or any(f"{layer.name}.1" not in shapes for layer in dense):
        return None
    if [layer.settings.get("activation") for layer in dense] != ["relu"] * (len(dense) - 1) + ["sigmoid"]:
        return None
    sizes = [shapes[f"{dense[0].name}.0"][0], *(shapes[f"{layer.name}.0"][-1] for layer in dense)]
    shape = _picture(layers, sizes[0])
    if sizes != sizes[::-1] or shape is None:
        return None
    half = len(dense) // 2
    names = [*(f"encoder_{place}" for place in range(half)), *(f"decoder_{place}" for place in range(half - 1))]
    channels, height, width = shape
    arguments = {
        **{"image_size": height if height == width else [height, width], "channels": channels},
        **{"hidden_sizes": sizes[1:half] or None, "code_size": sizes[half]},
    }
    renamed = {layer.name: name for layer, name in zip(dense, [*names, f"pixels_{half - 1}"], strict=True)}
    return {key: value for key, value in arguments.items() if value is not None}, renamed


def conv_identity(
    layers: Sequence[Layer], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, Any], dict[str, str]] | None:
    """Return the arguments of a `ConvAutoencoder` that Zoo wrote; None for any other model."""
    widths: list[int] = []
    while (kernel := shapes.get(f"encoder_{len(widths)}_down_conv.0")) is not None and len(widths) < 100:
        widths.append(kernel[-1])
    pixels = next((layer.settings.get("batch_shape") for layer in layers if layer.kind == "InputLayer"), None)
    if not widths or "unfolding.0" not in shapes or not isinstance(pixels, list) or len(pixels) != 4:
        return None
    _, height, width, channels = pixels
    arguments = {"channels": channels, "widths": widths, "code_size": shapes["unfolding.0"][0]}
    return {"image_size": height if height == width else [height, width], **arguments}, {}


_PLAIN = ("InputLayer", "Flatten", "Reshape", "Permute", "Functional", "Sequential")


def _picture(layers: Sequence[Layer], numbers: int) -> tuple[int, int, int] | None:
    """Return channels, height and width of the pictures that a model was made for."""
    shapes = [layer.settings.get("batch_shape", layer.settings.get("batch_input_shape")) for layer in layers]
    shape = next((shape[1:] for shape in shapes if isinstance(shape, list)), None)
    if shape is None or not all(type(side) is int for side in shape) or math.prod(shape) != numbers:
        return None
    if len(shape) == 1 and math.isqrt(numbers) ** 2 == numbers:
        return 1, math.isqrt(numbers), math.isqrt(numbers)
    if len(shape) == 2:
        return 1, shape[0], shape[1]
    permuted = any(layer.kind == "Permute" and layer.settings.get("dims") == [3, 1, 2] for layer in layers)
    return (shape[2], shape[0], shape[1]) if len(shape) == 3 and (shape[2] == 1 or permuted) else None


def _convolved(graph: Graph, x: str, name: str, target: str, filters: int, stride: int) -> str:
    padding = "valid" if stride > 1 else "same"
    x = graph.convolution(f"{name}_conv", x, f"{target}.0", filters, 3, stride, padding=padding)
    x = graph.batch_norm(f"{name}_bn", x, f"{target}.1", _EPSILON)
    return graph.add("Activation", f"{name}_relu", x, activation="relu")


def _flattened(graph: Graph, x: str, name: str, channels: int) -> str:
    if channels > 1:
        x = graph.add("Permute", f"{name}_first", x, dims=[3, 1, 2])
    return graph.add("Flatten", f"{name}_flat", x)


def _unflattened(graph: Graph, x: str, name: str, shape: tuple[int, int, int]) -> str:
    channels, height, width = shape
    if channels == 1:
        return graph.add("Reshape", name, x, target_shape=[height, width, 1])
    x = graph.add("Reshape", f"{name}_first", x, target_shape=[channels, height, width])
    return graph.add("Permute", name, x, dims=[2, 3, 1])


def _size(image_size: int | list[int]) -> tuple[int, int]:
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    return height, width
