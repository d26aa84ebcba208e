"""Write our transformers as KerasHub has them: a preset's folder, or a `.keras` file of its classes."""

import datetime
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import torch
from torch import Tensor

import zoo
from zoo_keras.archive import WEIGHTS
from zoo_keras.configuration import snake_case
from zoo_keras.graph import Axes
from zoo_keras.hub_models import Kind, backbone_config, checked, image_converter, kind_of, task_config, task_of
from zoo_keras.hub_tokenizers import preprocessor_of, write_tokenizer

_VERSIONS = {"keras_version": "3.15.1", "keras_hub_version": "0.32.0"}
"""Of those whose form this is."""


def write_preset(weights: Path, folder: Path) -> None:
    """Write a weights folder as a preset. Raise UsageError for a model that KerasHub has not, or has otherwise."""
    kind, known = _known(weights)
    backbone, task = kind.serialized("Backbone", backbone_config(kind, known.arguments)), task_of(kind, known)
    arrays = _arrays(kind, known, weights)
    preprocessor = _preprocessor(kind, known, weights, task, folder)
    head = {path.removeprefix("task/"): array for path, array in arrays.items() if path.startswith("task/")}
    body = {path: array for path, array in arrays.items() if not path.startswith("task/")}
    _write_json(folder / "config.json", backbone)
    _write_json(folder / "metadata.json", _metadata(known) | {"parameter_count": sum(map(torch.numel, body.values()))})
    _write_arrays(folder / WEIGHTS, body)
    if task is not None:
        config = {"backbone": backbone, "preprocessor": preprocessor, **task_config(kind, task, known)}
        _write_json(folder / "task.json", kind.serialized(task, config, None))
    if head:
        _write_arrays(folder / "task.weights.h5", head)


def write_hub_archive(weights: Path, out: Path) -> None:
    """Write a weights folder as a `.keras` file that opens where keras_hub is imported."""
    kind, known = _known(weights)
    whole = kind.serialized("Backbone", backbone_config(kind, known.arguments))
    arrays = _arrays(kind, known, weights)
    if (task := task_of(kind, known)) is not None:
        inside = f"layers/{snake_case(whole['class_name'])}/"
        config = {"backbone": whole, "preprocessor": None, **task_config(kind, task, known)}
        whole = kind.serialized(task, config, None)
        arrays = {
            path.removeprefix("task/") if path.startswith("task/") else inside + path: array
            for path, array in arrays.items()
        }
    content = out.with_name(f"{out.name}.h5")
    try:
        _write_arrays(content, arrays)
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("metadata.json", json.dumps(_metadata(known)))
            archive.writestr("config.json", json.dumps(whole))
            archive.write(content, WEIGHTS)
    finally:
        content.unlink(missing_ok=True)


def _known(weights: Path) -> tuple[Kind, Any]:
    known = zoo.describe(weights)
    if (kind := kind_of(known.architecture)) is None:
        raise zoo.UsageError(
            f"there is no preset of KerasHub here for {known.architecture}; there are for BERT, RoBERTa, DistilBERT, "
            "GPT-2 and ViT; write one file: leave out --preset"
        )
    checked(kind, known)
    return kind, known


def _metadata(known: Any) -> dict[str, Any]:
    labels = {"labels": list(known.labels)} if known.labels else {}
    return {**_VERSIONS, "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"), **labels}


def _preprocessor(kind: Kind, known: Any, weights: Path, task: str | None, folder: Path) -> dict[str, Any] | None:
    """Write what prepares inputs, as far as the preset can have it; return what a task says of it."""
    if kind.name == "ViT":
        if (inputs := known.preprocessing) is None:
            return None
        converter = image_converter(kind, inputs)
        made = kind.serialized("ImageClassifierPreprocessor", {"image_converter": converter, "config_file": _OWN})
        _write_json(folder / "image_converter.json", converter)
    else:
        if known.tokenization is None or (words := write_tokenizer(kind, weights, known, folder)) is None:
            return None
        made = preprocessor_of(kind, words, known.tokenization.max_tokens, task)
    _write_json(folder / _OWN, made)
    return made


_OWN = "preprocessor.json"


def _arrays(kind: Kind, known: Any, weights: Path) -> dict[str, Tensor]:
    """Return every array by its path in the file; those of the head begin with task/."""
    tensors = _folded(kind, known, dict(zoo.load(weights, dtype="float32").state_dict()))
    heads, found = known.arguments["num_heads"], {}
    for ours, tensor in tensors.items():
        renames = [rename for rename in kind.layout.renames if _place(rename, ours) is not None]
        parts = renames[: (renames[0].part or (0, 1))[1]] if renames else []
        if not parts:
            raise zoo.UsageError(f"KerasHub's {kind.name}Backbone has no place for {ours}; export it for transformers")
        for rename, part in zip(parts, tensor.chunk(len(parts)) if len(parts) > 1 else (tensor,), strict=True):
            path = str(_place(rename, ours)).replace(".", "/")
            found[path] = part if rename.axes is None else _apart(part, rename.axes, heads)
    return found


def _place(rename: zoo.Rename, ours: str) -> str | None:
    """Return what their tensor is called where the pair is of ours."""
    pattern = re.escape(rename.target).replace(r"\{n\}", r"(\d+)")
    match = re.fullmatch(pattern, ours)
    return None if match is None else rename.source.replace("{n}", match[1] if match.groups() else "")


def _apart(tensor: Tensor, axes: Axes, heads: int) -> Tensor:
    """Return our tensor with their axes, those of heads and of what each of them has apart."""
    shape: list[int] = []
    order: list[int] = []
    for size, axis in zip(tensor.shape, axes or (), strict=True):
        theirs = (axis,) if isinstance(axis, int) else axis
        shape += [size] if len(theirs) == 1 else [heads, size // heads][: len(theirs)]
        order += theirs
    return tensor.reshape(shape).permute([order.index(place) for place in range(len(order))])


def _folded(kind: Kind, known: Any, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors of a model that computes the same without what KerasHub's has not.

    A token's only segment goes into its position, and rows of positions that no token takes are left out. BERT's class
    is told by its pooler, which is there, and zero, where nothing was trained.
    """
    if kind.name in ("Roberta", "DistilBert"):
        positions = tensors["embeddings.position_embeddings.weight"][known.arguments["position_offset"] :]
        if (segment := tensors.pop("embeddings.token_type_embeddings.weight", None)) is not None:
            positions = positions + segment
        tensors["embeddings.position_embeddings.weight"] = positions
    if kind.name == "Bert":
        for leaf, shape in (("weight", [known.arguments["width"]] * 2), ("bias", [known.arguments["width"]])):
            pooler = tensors.pop(f"pooler.dense.{leaf}", None)
            tensors.setdefault(f"head.dense.{leaf}", torch.zeros(shape) if pooler is None else pooler)
    if known.arguments["num_classes"]:
        tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("cls.")}
    return tensors


def _write_arrays(path: Path, arrays: Mapping[str, Tensor]) -> None:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array.detach().to(torch.float32).contiguous().numpy())


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=4) + "\n", encoding="utf-8")
