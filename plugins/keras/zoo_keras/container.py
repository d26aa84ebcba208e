"""One opened file of Keras: what it holds, described first and read afterwards. Keeps zoo.Container."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import zoo
from zoo_keras.archive import MAX_JSON, read_archive
from zoo_keras.configuration import Layer, layers_of
from zoo_keras.hdf5 import Array, Contents, Header, Span, broken, read_arrays, read_contents
from zoo_keras.identify import Identity, identify
from zoo_keras.naming import by_layer, by_path, parted
from zoo_keras.presets import beside, by_part, head_arrays, head_of, identity_of, parted_config, preset_of
from zoo_keras.shards import INDEX, read_shards
from zoo_keras.tokenizer import tokenizer_files

_log = logging.getLogger("zoo.keras")


@dataclass(frozen=True)
class KerasFile:
    """The tensors of a file by their names, what is left out of it, and which model it says it holds.

    Where it is an index, or a preset with a head, they lie in several files.
    """

    path: Path
    arrays: dict[str, Array]
    left_out: tuple[Array, ...]
    identity: Identity
    preset: bool = False

    @property
    def files(self) -> Mapping[str, str]:
        """The preset's tokenizer as others have it in files beside weights."""
        return tokenizer_files(self.path.parent) if self.preset else {}

    @property
    def headers(self) -> dict[str, Header]:
        """Every tensor by its name."""
        return {name: array.header for name, array in self.arrays.items()}

    @property
    def library(self) -> str | None:
        """The library whose layouts name the tensors; None where the file could be anybody's."""
        return self.identity.library

    @property
    def config(self) -> Mapping[str, Any]:
        """What the file says of its model."""
        return self.identity.config

    def load(self, device: str | torch.device = "cpu") -> dict[str, Tensor]:
        """Read the tensors."""
        if self.left_out:
            first = ascii("/".join(self.left_out[0].path))[:80]
            _log.info("left out %d arrays of training (%s, …)", len(self.left_out), first)
        return {name: tensor.to(device) for name, tensor in read_arrays(self.arrays).items()}


def open_file(path: Path) -> KerasFile:
    """Open a `.keras` archive, or an HDF5 file of Keras. Raise IntegrityError for a broken one."""
    config, metadata, contents = _opened(path)
    if not config and contents.config is not None:
        config = zoo.parse_json(
            contents.config.encode("utf-8", "surrogateescape"), f"the model_config in {path}", max_bytes=MAX_JSON
        )
    layers: list[Layer] = layers_of(config, path)
    weights, others = parted(contents)
    if not weights:
        raise broken(path, "holds no weights")
    if (preset := preset_of(path)) is not None:
        head = head_of(path)
        arrays = by_path(weights) | ({} if head is None else head_arrays(head))
        identity = identity_of(preset, beside(path), head=head is not None)
        return KerasFile(path, arrays, tuple(others), identity, preset=True)
    if (parts := parted_config(config)) is not None:
        backbone, task = parts
        preprocessor = (task.get("config") or {}).get("preprocessor") or {}
        said = {"task": task, "preprocessor": preprocessor, "metadata": metadata}
        arrays = by_part(by_path(weights), backbone)
        return KerasFile(path, arrays, tuple(others), identity_of(backbone, said, head=bool(task)))
    named = by_layer(contents, weights, layers)
    arrays = by_path(weights) if named is None else named
    if len(arrays) != len(weights):
        raise broken(path, "has two arrays of one name")
    identity = identify(path, arrays, layers)
    for name, shape in identity.shapes.items():
        arrays[name] = replace(arrays[name], header=Header(arrays[name].header.dtype, shape))
    kept = {
        f"{identity.renamed.get(name.rpartition('.')[0], name.rpartition('.')[0])}.{name.rpartition('.')[2]}": array
        for name, array in arrays.items()
        if name not in identity.used
    }
    if labels := metadata.get("labels"):  # as Zoo writes them
        identity = replace(identity, config={**identity.config, "label_names": labels})
    return KerasFile(path, kept, tuple(others), identity)


def _opened(path: Path) -> tuple[dict[str, Any], dict[str, Any], Contents]:
    """Return what a file says of its model and of itself, and what it holds."""
    if path.name.endswith(INDEX):
        return {}, {}, read_shards(path)
    with open(path, "rb") as file:
        start, size = file.read(4), file.seek(0, 2)
    if start == b"PK\x03\x04" or (path.suffix == ".keras" and start != b"\x89HDF"):  # Keras 2 wrote HDF5 there, too
        archive = read_archive(path)
        return archive.config, archive.metadata, read_contents(path, archive.weights)
    return {}, {}, read_contents(path, Span(0, size))
