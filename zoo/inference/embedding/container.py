"""Vectors in one safetensors file: the tensor `embeddings`, and the samples' names as a JSON list in its metadata."""

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError, safe_open
from torch import Tensor

from zoo.errors import DataError, IntegrityError

TENSOR = "embeddings"
_MOST_HEADER = 100_000_000
"""What the format allows."""


@dataclass(frozen=True)
class StoredVectors:
    """Vectors (rows, features) from a file, the names of their samples, and what they were made of."""

    vectors: Tensor
    names: list[str]
    identity: str


def write_vectors(
    file: BinaryIO, parts: Iterable[Tensor], names: Sequence[str], *, features: int, identity: str
) -> None:
    """Write vectors that come in parts. The same vectors make the same bytes, which the library's own writer keeps not.

    Raise DataError where the names are longer than the format allows.
    """
    rows = len(names)
    described = {"dtype": "F32", "shape": [rows, features], "data_offsets": [0, 4 * rows * features]}
    metadata = {"format": "pt", "identity": identity, "names": json.dumps(names)}
    header = json.dumps({"__metadata__": metadata, TENSOR: described}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    if len(header) > _MOST_HEADER:
        raise DataError(
            f"the names of {rows:,} samples are too long for one .safetensors file; give a folder as --out, or a file "
            "that ends with .parquet"
        )
    file.write(struct.pack("<Q", len(header)) + header)
    for part in parts:
        file.write(np.ascontiguousarray(part.float().cpu().numpy(), "<f4").data)


def read_vectors(path: Path) -> StoredVectors:
    """Read a file of vectors, mapped. Raise IntegrityError for anything else."""
    with _opened(path) as file:
        metadata = file.metadata() or {}
        return StoredVectors(file.get_tensor(TENSOR), json.loads(metadata["names"]), metadata["identity"])


def read_identity(path: Path) -> str | None:
    """Return what the vectors of a file were made of; None where it does not say."""
    with _opened(path) as file:
        found: str | None = (file.metadata() or {}).get("identity")
        return found


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a safetensors file; what is wrong with it is an IntegrityError."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, KeyError, ValueError) as error:
        raise IntegrityError(f"{path} is no file of vectors: {error}; remove it, and make it again") from None
