"""One opened GGUF file: what it holds, described first and dequantized afterwards. Keeps zoo.Container."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

import zoo
from zoo_gguf.header import KINDS, Head, Place, broken, read_head
from zoo_gguf.tokenizer import tokenizer_files

_ARCHITECTURES = ("llama", "gpt2")
_SIZES = {
    "block_count": int,
    "context_length": int,
    "embedding_length": int,
    "feed_forward_length": int,
    "attention.head_count": int,
    "attention.head_count_kv": int,
    "attention.key_length": int,
    "attention.layer_norm_epsilon": float,
    "attention.layer_norm_rms_epsilon": float,
    "rope.freq_base": float,
}
_NEEDED = ("block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count")
_EPSILONS = {"llama": "attention.layer_norm_rms_epsilon", "gpt2": "attention.layer_norm_epsilon"}
_ROPE_BASE = 10_000.0
"""What llama.cpp takes where a file does not say it."""
_TURNED = ("attn_q.weight", "attn_k.weight")

_AT_ONCE = 1 << 20
"""Numbers that are dequantized at once."""

Values: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"


class Header(NamedTuple):
    """One tensor as it comes out of the file: whatever its type, in float32."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class GGUFFile:
    """The tensors of a file by llama.cpp's names, and what its metadata say of the model and of its tokenizer."""

    path: Path
    head: Head
    config: Mapping[str, Any]
    library: str = "gguf"

    @property
    def headers(self) -> dict[str, Header]:
        """Every tensor by its name."""
        return {name: Header("F32", place.shape) for name, place in self.head.tensors.items()}

    @cached_property
    def files(self) -> Mapping[str, str]:
        """What others have in files beside weights: the tokenizer, and the template of chats."""
        return tokenizer_files(self.head.metadata, str(self.path))

    def load(self, device: str | torch.device = "cpu") -> dict[str, Tensor]:
        """Dequantize the tensors, as the gguf library does."""
        heads = {
            name: self.config[f"attention.head_count{kind}"] for name, kind in zip(_TURNED, ("", "_kv"), strict=True)
        }
        tensors = {}
        for name, place in self.head.tensors.items():
            values = _dequantized(self.path, place)
            if self.config["architecture"] == "llama" and name.endswith(_TURNED):
                values = _unturned(values, heads[name.split(".", 2)[2]])
            tensors[name] = torch.from_numpy(values).to(device)
        return tensors


def open_file(path: Path) -> GGUFFile:
    """Open a GGUF file. Raise IntegrityError for a broken one, or a model that is not read."""
    head = read_head(path)
    return GGUFFile(path, head, _config(path, head))


def _config(path: Path, head: Head) -> dict[str, Any]:
    metadata = head.metadata
    name = metadata.get("general.architecture")
    if name not in _ARCHITECTURES:
        raise zoo.IntegrityError(
            f"{path} holds a model of the architecture {ascii(name)[:60]}; those that are read are "
            f"{', '.join(_ARCHITECTURES)}"
        )
    found: dict[str, Any] = {"architecture": name, "architectures": [name]}
    for key, kind in _SIZES.items():
        value = metadata.get(f"{name}.{key}")
        if value is not None and type(value) is not kind:
            raise broken(path, f"has a {name}.{key} that is not one {'whole ' if kind is int else ''}number")
        if value is not None:
            found[key] = value
    # they lie there in 32 bits, and are meant as they read in these
    found = {key: float(str(np.float32(value))) if type(value) is float else value for key, value in found.items()}
    if missing := [key for key in (*_NEEDED, _EPSILONS[name]) if key not in found]:
        raise broken(path, f"does not say {name}.{missing[0]}")
    heads = found["attention.head_count"]
    found.setdefault("attention.head_count_kv", heads)
    if not 0 < heads <= found["embedding_length"]:
        raise broken(path, f"has {heads:,} heads for a width of {found['embedding_length']:,}")
    if found.get("attention.key_length") == found["embedding_length"] // heads:
        del found["attention.key_length"]  # where nothing would say otherwise
    if name == "llama":
        found.setdefault("rope.freq_base", _ROPE_BASE)
        found["tied"] = "output.weight" not in head.tensors
        _check_llama(path, head, found)
    return found


def _check_llama(path: Path, head: Head, config: Mapping[str, Any]) -> None:
    """Raise IntegrityError for what llama.cpp computes otherwise than our Llama."""
    metadata, other = head.metadata, None
    turned = config.get("attention.key_length", config["embedding_length"] // config["attention.head_count"])
    if metadata.get("llama.rope.scaling.type", "none") != "none" or "rope_freqs.weight" in head.tensors:
        other = "scales its positions (rope scaling)"
    elif metadata.get("llama.expert_count", 0):
        other = "has experts"
    elif metadata.get("llama.rope.dimension_count", turned) != turned:
        other = "turns a part of each head alone (rope.dimension_count)"
    elif metadata.get("llama.attention.value_length", turned) != turned:
        other = "has values of another width than keys"
    if other is not None:
        raise zoo.IntegrityError(f"{path} {other}, which no model here does; run it with llama.cpp")


def _dequantized(path: Path, place: Place) -> Values:
    """Return the numbers of a tensor; blocks are taken many at once, whichever rows they are of."""
    import gguf

    kind = KINDS[place.kind]
    values = np.empty(math.prod(place.shape), np.float32)
    with open(path, "rb") as file:
        file.seek(place.start)
        for start in range(0, len(values), _AT_ONCE):
            part = values[start : start + _AT_ONCE]
            size = len(part) // kind.block * kind.size
            content = np.fromfile(file, np.uint8, size)
            if len(content) != size:
                raise broken(path, "became shorter while it was read")
            part[:] = gguf.quants.dequantize(content[None], gguf.GGMLQuantizationType[place.kind])[0]
    return values.reshape(place.shape)


def _unturned(values: Values, heads: int) -> Values:
    """Return rows of queries or keys as halves of each head, which llama.cpp has as pairs."""
    rows, columns = values.shape
    return values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def turned(values: Tensor, heads: int) -> Tensor:
    """Return rows of queries or keys as pairs, as llama.cpp has them."""
    rows, columns = values.shape
    return values.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
