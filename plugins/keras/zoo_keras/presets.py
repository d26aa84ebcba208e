"""KerasHub's presets: config.json, model.weights.h5 or its shards, and for a task task.json with task.weights.h5."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zoo
from zoo_keras.archive import MAX_JSON
from zoo_keras.configuration import snake_case
from zoo_keras.hdf5 import Array, Span, read_contents
from zoo_keras.identify import Identity
from zoo_keras.naming import by_path, parted
from zoo_keras.shards import INDEX

WEIGHTS = "model.weights.h5"
_TASK = "task.weights.h5"
_REGISTERED = ("keras_hub>", "keras_nlp>")
_HEADS = ("TextClassifier", "ImageClassifier", "MaskedLM")


def preset_of(path: Path) -> dict[str, Any] | None:
    """Return the config.json beside a preset's weights; None for any other file."""
    if path.name not in (WEIGHTS, "model" + INDEX):
        return None
    config = _json(path.with_name("config.json"))
    named = config.get("registered_name")
    return config if isinstance(named, str) and named.startswith(_REGISTERED) else None


def parted_config(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the backbone and the task that a `.keras` file of KerasHub has; None for any other."""
    named, own = config.get("registered_name"), config.get("config")
    if not isinstance(named, str) or not named.startswith(_REGISTERED) or not isinstance(own, dict):
        return None
    backbone = own.get("backbone")
    return (backbone, dict(config)) if isinstance(backbone, dict) else (dict(config), {})


def by_part(arrays: Mapping[str, Array], backbone: Mapping[str, Any]) -> dict[str, Array]:
    """Return the arrays of a `.keras` file of KerasHub as a preset names them: the backbone's own, and the task's."""
    inside = f"layers.{snake_case(str(backbone.get('class_name')))}."
    if not any(name.startswith(inside) for name in arrays):
        return dict(arrays)
    return {
        name.removeprefix(inside) if name.startswith(inside) else f"task.{name}": array
        for name, array in arrays.items()
    }


def beside(path: Path) -> dict[str, dict[str, Any]]:
    """Return what a preset's folder says of its task, its preprocessor and itself."""
    return {name: _json(path.with_name(f"{name}.json")) for name in ("task", "preprocessor", "metadata")}


def identity_of(config: Mapping[str, Any], said: Mapping[str, Mapping[str, Any]], *, head: bool) -> Identity:
    """Return what a preset says of its model, as its layout asks it; `head` where that of a task was read."""
    own = config.get("config")
    plain = {key: value for key, value in own.items() if not isinstance(value, dict)} if isinstance(own, dict) else {}
    told: dict[str, Any] = {**plain, "architecture": config.get("class_name")}
    if isinstance(shape := told.get("image_shape"), list) and len(shape) == 3:
        told["image_size"] = shape[0] if shape[0] == shape[1] else shape[:2]
        told["pretrained_cfg"] = {"input_size": [shape[2], *shape[:2]], **_pictures(said["preprocessor"])}
    if isinstance(patch := told.get("patch_size"), list) and len(patch) == 2 and patch[0] == patch[1]:
        told["patch_size"] = patch[0]
    if head:
        task = said["task"].get("config")
        pooling = task.get("pooling") if isinstance(task, dict) else None
        told |= {"pooling": pooling} if pooling is not None else {}
    if head and isinstance(labels := said["metadata"].get("labels"), list):  # as Zoo writes them
        told["label_names"] = labels
    return Identity("keras_hub", {key: value for key, value in told.items() if key != "name"})


def head_of(path: Path) -> Path | None:
    """Return the file that has the head of a task beside a preset's weights; None where there is none."""
    kind = _json(path.with_name("task.json")).get("class_name")
    head = path.with_name(_TASK)
    return head if isinstance(kind, str) and kind.endswith(_HEADS) and head.is_file() else None


def head_arrays(path: Path) -> dict[str, Array]:
    """Return the head's arrays, by names behind those of the model."""
    weights, _ = parted(read_contents(path, Span(0, path.stat().st_size)))
    return {f"task.{name}": array for name, array in by_path(weights).items()}


def _pictures(preprocessor: Mapping[str, Any]) -> dict[str, Any]:
    """Return how pictures become inputs, where a preprocessor says it: times a scale, plus an offset."""
    found = {"mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": 1.0, "crop_mode": "squash", "interpolation": "bilinear"}
    config = preprocessor.get("config")
    converter = config.get("image_converter") if isinstance(config, dict) else None
    values = converter.get("config") if isinstance(converter, dict) else None
    if not isinstance(values, dict):
        return found
    scale, offset = (_channels(values.get(key), whole) for key, whole in (("scale", 1.0), ("offset", 0.0)))
    std = [1 / (255 * value) for value in scale]
    return {**found, "mean": [-more * over for more, over in zip(offset, std, strict=True)], "std": std}


def _channels(value: Any, missing: float) -> list[float]:
    values = value if isinstance(value, list) else [missing if value is None else value]
    if not all(isinstance(item, (int, float)) for item in values):
        return [missing] * 3
    return [float(item) for item in (values * 3 if len(values) == 1 else values)]


def _json(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_JSON else b""
    except OSError:
        return {}
    return zoo.parse_json(content, str(path), max_bytes=MAX_JSON)
