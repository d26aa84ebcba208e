"""Files as Keras writes them, made without it: one small model in each of the three forms."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

LAYERS: dict[str, list[tuple[int, ...]]] = {
    "conv": [(3, 3, 3, 8), (8,)],
    "norm": [(8,), (8,), (8,), (8,)],
    "out": [(8, 5), (5,)],
}
PATHS = {"conv": "conv2d", "norm": "batch_normalization", "out": "dense"}


def weights() -> dict[str, np.ndarray[Any, Any]]:
    """Return every weight by the name that a layout would give it."""
    random = np.random.default_rng(0)
    return {
        f"{name}.{place}": random.normal(size=shape).astype(np.float32)
        for name, shapes in LAYERS.items()
        for place, shape in enumerate(shapes)
    }


def config() -> dict[str, Any]:
    """Return what Keras writes of a Sequential model of these layers."""
    kinds = {"conv": "Conv2D", "norm": "BatchNormalization", "out": "Dense"}
    layers = [{"class_name": "InputLayer", "config": {"batch_shape": [None, 8, 8, 3], "name": "input"}}]
    layers += [{"class_name": kinds[name], "config": {"name": name}} for name in LAYERS]
    return {"class_name": "Sequential", "config": {"name": "small", "layers": layers}}


def fill(file: h5py.File, *, named: bool = True, optimizer: bool = False) -> None:
    """Write what `.weights.h5` holds."""
    for name, path in PATHS.items():
        group = file.create_group(f"layers/{path}/vars")
        if named:
            group.attrs["name"] = name
        for key, value in weights().items():
            if key.startswith(f"{name}."):
                group.create_dataset(key.rpartition(".")[2], data=value)
    if optimizer:
        file.create_dataset("optimizer/vars/0", data=np.int64(3))
        file.create_dataset("optimizer/vars/1", data=np.zeros((3, 3, 3, 8), np.float32))


def write_weights(path: Path, **options: Any) -> Path:
    """Write a `.weights.h5`."""
    with h5py.File(path, "w") as file:
        fill(file, **options)
    return path


def write_keras(path: Path, values: dict[str, Any] | None = None, **options: Any) -> Path:
    """Write a `.keras` archive."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        fill(file, **options)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(values or config()))
        archive.writestr("model.weights.h5", content.getvalue())
    return path


def write_legacy(path: Path, *, whole: bool = True) -> Path:
    """Write an `.h5` of Keras 2: of a whole model, or of its weights alone."""
    leaves = {"conv": ["kernel:0", "bias:0"], "norm": ["gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"]}
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole else file
        root.attrs["layer_names"] = np.array([b"input", *(name.encode() for name in LAYERS)])
        root.create_group("input").attrs["weight_names"] = np.array([], "S1")
        for name in LAYERS:
            names = [f"{name}/{leaf}" for leaf in leaves.get(name, ["kernel:0", "bias:0"])]
            group = root.create_group(name)
            group.attrs["weight_names"] = np.array([text.encode() for text in names])
            for place, text in enumerate(names):
                group.create_dataset(text, data=weights()[f"{name}.{place}"])
        if whole:
            file.attrs["model_config"] = json.dumps(config())
            file.create_dataset("optimizer_weights/Adam/iter:0", data=np.int64(3))
    return path
