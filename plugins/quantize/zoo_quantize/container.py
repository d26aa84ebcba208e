"""One file of weights in 8 bits: what it holds, described first and made float again afterwards. Keeps zoo.Container.

It is a file of safetensors. Its metadata have config.json's text as `config`, and as `int8` the names of the tensors in
8 bits, whose scales are joined, in this order, in the tensor `int8.scales`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

import zoo
from zoo_quantize.rounding import restored

SCALES = "int8.scales"
_MAX_JSON = 16 << 20


class Header(NamedTuple):
    """One tensor as it is loaded: its type, F32 where it lies there in 8 bits, and its shape."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class EightBits:
    """The tensors of a file by our names."""

    path: Path
    config: Mapping[str, Any]
    headers: dict[str, Header]
    names: tuple[str, ...]
    library: str | None = None

    def load(self, device: str | torch.device = "cpu") -> dict[str, Tensor]:
        """Read the tensors, in float."""
        tensors = load_file(self.path, device=str(device))
        scales = tensors.pop(SCALES)
        if not bool(scales.isfinite().all()):
            raise _broken(self.path, "has scales that are no numbers")
        parts = torch.split(scales, [len(tensors[name]) for name in self.names]) if self.names else ()
        for name, part in zip(self.names, parts, strict=True):
            tensors[name] = restored(tensors[name], part)
        return tensors


def open_file(path: Path) -> EightBits:
    """Open a file of weights in 8 bits. Raise IntegrityError for a broken one."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            slices = {name: file.get_slice(name) for name in file.keys()}
            found = {name: Header(part.get_dtype(), tuple(part.get_shape())) for name, part in slices.items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise _broken(path, f"is no file of safetensors ({str(error)[:100]!r})") from None
    if "config" not in metadata or "int8" not in metadata or SCALES not in found:
        raise _broken(path, f"lacks config and int8 in its metadata, or {SCALES}")
    config = zoo.parse_json(metadata["config"].encode(), f"config in the metadata of {path}", max_bytes=_MAX_JSON)
    said = zoo.parse_json(b'{"names":' + metadata["int8"].encode() + b"}", f"int8 in {path}", max_bytes=_MAX_JSON)
    if "zoo" not in config:
        raise _broken(path, "does not say which model it holds")
    names = _names(path, said["names"], found)
    headers = {name: Header("F32", header.shape) if name in names else header for name, header in found.items()}
    del headers[SCALES]
    return EightBits(path, config, headers, names)


def write_file(
    path: Path, tensors: Mapping[str, Tensor], names: Sequence[str], scales: Tensor, config: Mapping[str, Any]
) -> None:
    """Write tensors, of which those that are named are int8, as a file."""
    stored = {name: tensor.contiguous() for name, tensor in tensors.items()} | {SCALES: scales}
    save_file(stored, path, metadata={"config": json.dumps(config), "int8": json.dumps(list(names))})


def _names(path: Path, said: Any, found: Mapping[str, Header]) -> tuple[str, ...]:
    names = said if isinstance(said, list) else []
    known = [name for name in names if isinstance(name, str) and name != SCALES and name in found]
    eights = {name for name, header in found.items() if header.dtype == "I8"}
    if not isinstance(said, list) or len(known) != len(said) or len(set(known)) != len(known) or set(known) != eights:
        raise _broken(path, "names other tensors than those that it has in 8 bits")
    rows = sum(found[name].shape[0] if found[name].shape else 0 for name in known)
    if found[SCALES] != Header("F32", (rows,)) or any(math.prod(found[name].shape) == 0 for name in known):
        raise _broken(path, "has another number of scales than of rows")
    return tuple(known)


def _broken(path: Path, why: str) -> zoo.IntegrityError:
    return zoo.IntegrityError(f"{path} {why}; get a fresh copy")
