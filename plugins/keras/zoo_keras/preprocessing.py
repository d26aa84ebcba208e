"""How pictures become inputs, as a file's own first layers say, or as Keras does for the architecture."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zoo_keras.architectures import Architecture
from zoo_keras.configuration import Layer
from zoo_keras.hdf5 import Array, read_arrays

_MEAN, _STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
_CAFFE = [123.68 / 255, 116.779 / 255, 103.939 / 255]
"""The mean of each channel that `mode="caffe"` takes off, in the order of RGB."""
_FIRST = ("InputLayer", "Rescaling", "Normalization")


def preprocessing_of(model: Architecture, arrays: Mapping[str, Array], layers: Sequence[Layer]) -> dict[str, Any]:
    """Return timm's keys for it, with whether the model takes channels `backwards`.

    Keras's own layers take bytes, and so do models that begin with them; what comes before a model is its author's.
    """
    scale, shift = [1.0] * 3, [0.0] * 3
    own = [layer for layer in layers if layer.kind in _FIRST[1:]]
    if own or (model.inside and not layers):
        for layer in own or _own(model):
            factor, offset = _linear(layer, arrays)
            scale = [before * now for before, now in zip(scale, factor, strict=True)]
            shift = [before * now + more for before, now, more in zip(shift, factor, offset, strict=True)]
        # x * 255 * scale + shift, as (x - mean) / std
        std = [1 / (255 * value) for value in scale]
        mean = [-value * over for value, over in zip(shift, std, strict=True)]
        backwards = False
    else:
        backwards = model.mode == "caffe"
        mean = {"caffe": _CAFFE, "tf": [0.5] * 3, "torch": _MEAN}[model.mode]
        std = {"caffe": [1 / 255] * 3, "tf": [0.5] * 3, "torch": _STD}[model.mode]
    return {
        "input_size": [3, *(size_of(layers) or [model.image_size] * 2)],
        "mean": mean,
        "std": std,
        "crop_pct": 1.0,
        "crop_mode": "squash",
        "interpolation": "bilinear",
        "backwards": backwards,
    }


def _own(model: Architecture) -> list[Layer]:
    """Return the first layers that Keras gives a model, where a file of weights alone does not say."""
    if model.mode == "tf":
        return [Layer("rescaling", "Rescaling", {"scale": 1 / 127.5, "offset": -1.0}, (), "")]
    if model.body.__name__ == "efficientnet":
        return [
            Layer("rescaling", "Rescaling", {"scale": 1 / 255, "offset": 0.0}, (), ""),
            Layer("normalization", "Normalization", {"weights": "imagenet"}, (), ""),
        ]
    of_bytes = {"mean": [255 * value for value in _MEAN], "variance": [(255 * value) ** 2 for value in _STD]}
    return [Layer("normalization", "Normalization", of_bytes, (), "")]


def _linear(layer: Layer, arrays: Mapping[str, Array]) -> tuple[list[float], list[float]]:
    """Return what a layer multiplies by, and what it adds, for each channel."""
    if layer.kind == "Rescaling":
        return _channels(layer.settings.get("scale")), _channels(layer.settings.get("offset"))
    mean, variance = layer.settings.get("mean"), layer.settings.get("variance")
    if mean is None or variance is None:
        kept = [arrays.get(f"{layer.name}.{place}") for place in (0, 1)]
        if kept[0] is None or kept[1] is None or kept[0].size > 64 or kept[1].size > 64:
            return [1.0] * 3, [0.0] * 3
        values = read_arrays({"mean": kept[0], "variance": kept[1]})
        mean, variance = (values[key].float().flatten().tolist() for key in ("mean", "variance"))
    means, deviations = _channels(mean), [math.sqrt(max(value, 1e-14)) for value in _channels(variance)]
    if layer.settings.get("weights") == "imagenet" and any(means):
        # Keras's EfficientNet has deviations in the place of variances, and scales once more where it is pretrained
        deviations = [value * value for value in deviations]
    return [1 / value for value in deviations], [-m / d for m, d in zip(means, deviations, strict=True)]


def _channels(value: Any) -> list[float]:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    values = [float(item) for item in value] if isinstance(value, list) else [float(value or 0)]
    return values * 3 if len(values) == 1 else (values + [0.0] * 3)[:3]


def size_of(layers: Iterable[Layer]) -> list[int] | None:
    """Return height and width of the pictures that a model was made for; None where it takes any."""
    for layer in layers:
        shape = layer.settings.get("batch_shape", layer.settings.get("batch_input_shape"))
        if isinstance(shape, list) and len(shape) == 4 and all(type(side) is int for side in shape[1:3]):
            return shape[1:3]
    return None
