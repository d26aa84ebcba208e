"""Read a safetensors header by itself, within bounds, before anything is mapped or allocated.

Format: 8 bytes little-endian header length, a JSON object, then the tensors' bytes without holes.
"""

import math
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError, NotFoundError
from zoo.files import check_plain
from zoo.strict_json import parse_json
from zoo.weights.kinds import tell_kind

MAX_TENSORS = 100_000
MAX_DIMENSIONS = 64
MAX_HEADER_BYTES = 25 * 1024 * 1024
"""Twice what the most tensors take, and a quarter of what the format allows: parsing takes a multiple in memory."""

_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 1),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 2),
    **dict.fromkeys(("I32", "U32", "F32"), 4),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 8),
}

FLOATS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64"}
"""The floating-point types of which weights may be, by their names in a header."""


@dataclass(frozen=True)
class TensorHeader:
    """One tensor as the header describes it. `offset` is the place of its first byte in the file."""

    dtype: str
    shape: tuple[int, ...]
    offset: int = field(default=0, compare=False)

    @property
    def size(self) -> int:
        """Return how many bytes it takes."""
        return math.prod(self.shape) * _BYTES[self.dtype]


def read_header(path: Path) -> dict[str, TensorHeader]:
    """Return every tensor's dtype and shape. Raise IntegrityError for a file that is not exactly a safetensors file."""
    check_plain(path)
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            prefix = file.read(8)
            if len(prefix) < 8:
                raise _broken(path, f"has {size} bytes, too few for a safetensors file")
            (length,) = struct.unpack("<Q", prefix)
            if length > MAX_HEADER_BYTES or length > size - 8:
                tell_kind(path)
                raise _broken(path, f"announces a header of {length:,} bytes in a file of {size:,}")
            content = file.read(length)
    except FileNotFoundError:
        raise NotFoundError(f"no {path.name} in {path.parent}; the weights are incomplete, pull them again") from None
    except IsADirectoryError:
        raise _broken(path, "is a folder, not a safetensors file") from None
    if not content.startswith(b"{"):
        tell_kind(path)
        raise _broken(path, "is not a safetensors file")
    values = parse_json(content, f"the header of {path}", max_bytes=MAX_HEADER_BYTES)
    metadata = values.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _broken(path, "has metadata that is not text")
    if len(values) > MAX_TENSORS:
        raise _broken(path, f"lists {len(values):,} tensors, more than the {MAX_TENSORS:,} allowed")
    _check_layout(path, values, size - 8 - length)
    start = 8 + length
    return {
        name: TensorHeader(value["dtype"], tuple(value["shape"]), start + value["data_offsets"][0])
        for name, value in values.items()
    }


def _check_layout(path: Path, values: dict[str, Any], size: int) -> None:
    spans = []
    for name, value in values.items():
        match value:
            case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [int(begin), int(end)]} if len(value) == 3:
                pass
            case _:
                raise _broken(path, f"describes tensor {_shown(name)} wrongly")
        if type(begin) is not int or type(end) is not int or begin > end:  # True is an int to match
            raise _broken(path, f"has tensor {_shown(name)} from byte {begin} to byte {end}")
        if dtype not in _BYTES:
            raise _broken(path, f"has tensor {_shown(name)} of unknown dtype {dtype!r}")
        if len(shape) > MAX_DIMENSIONS or not all(type(side) is int and 0 <= side < 1 << 63 for side in shape):
            raise _broken(path, f"has tensor {_shown(name)} of impossible shape {_shown(str(shape[:8]))}")
        if math.prod(shape) * _BYTES[dtype] != end - begin:
            raise _broken(path, f"has tensor {_shown(name)} whose shape {shape} does not fill its {end - begin} bytes")
        spans.append((begin, end, name))
    position = 0
    for begin, end, name in sorted(spans):
        if begin != position:
            raise _broken(path, f"has a hole or an overlap before tensor {_shown(name)}")
        position = end
    if position != size:
        raise _broken(path, f"holds {size:,} bytes of tensors where its header describes {position:,}")


def _shown(name: str) -> str:
    return ascii(name) if len(name) <= 120 else f"{ascii(name[:120])}…"


def _broken(path: Path, why: str) -> IntegrityError:
    return IntegrityError(f"{path} {why}; pull or export it again")
