"""HDF5 files: what they hold is read by a process of its own, and the numbers straight from the bytes."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

import zoo
from zoo_keras import hdf5_program

_DTYPES = {
    **{"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64, "BOOL": torch.bool},
    **{"I8": torch.int8, "I16": torch.int16, "I32": torch.int32, "I64": torch.int64},
    **{"U8": torch.uint8, "U16": torch.uint16, "U32": torch.uint32, "U64": torch.uint64},
}
_MAX_DIMENSIONS = 32
_MAX_REPORT = 128 << 20
_CLOCK = 60
_PASSED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "LANG")  # nothing that is secret
_ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HDF5_PLUGIN_PRELOAD": "::"}


class Span(NamedTuple):
    """A part of a file: where it begins, and how many bytes it has."""

    start: int
    size: int


class Header(NamedTuple):
    """One tensor as a file describes it. Keeps zoo.Header."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Array:
    """One array: what it is, in which file, and where there it begins."""

    path: tuple[str, ...]
    header: Header
    start: int
    file: Path

    @property
    def size(self) -> int:
        """Return how many bytes it takes."""
        return math.prod(self.header.shape) * _DTYPES[self.header.dtype].itemsize


@dataclass(frozen=True)
class Contents:
    """What an HDF5 file holds: arrays, the names of groups, what Keras 2 lists, and the model's configuration."""

    arrays: tuple[Array, ...]
    names: dict[str, str]
    legacy: list[tuple[str, list[str]]] | None
    config: str | None


def read_contents(path: Path, span: Span) -> Contents:
    """Describe an HDF5 file, or one that is a part of a file. Raise IntegrityError for anything but plain arrays."""
    report = _report(path, span)
    try:
        arrays = tuple(_array(item, span, path) for item in report["tensors"])
        legacy = (
            None if report["legacy"] is None else [(str(name), list(map(str, own))) for name, own in report["legacy"]]
        )
        contents = Contents(arrays, dict(report["names"]), legacy, report["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise broken(path, f"is described wrongly ({error})") from None
    position = 0
    for array in sorted(arrays, key=lambda array: (array.start, array.size)):
        if array.size and array.start < position:
            raise broken(path, f"has two arrays in one place, one of them {shown(array.path)}")
        position = max(position, array.start + array.size)
    return contents


def read_arrays(arrays: Mapping[str, Array]) -> dict[str, Tensor]:
    """Read arrays into memory of their own; each file is opened once."""
    tensors = {}
    for path in dict.fromkeys(array.file for array in arrays.values()):
        with open(path, "rb") as file:
            for name, array in arrays.items():
                if array.file == path:
                    tensors[name] = _read(file, array)
    return tensors


def _read(file: Any, array: Array) -> Tensor:
    tensor = torch.empty(array.header.shape, dtype=_DTYPES[array.header.dtype])
    if array.size:
        file.seek(array.start)
        view = tensor.reshape(-1).view(torch.uint8).numpy().data
        if file.readinto(view) != array.size:
            raise broken(array.file, f"ends within {shown(array.path)}")
    return tensor


def broken(path: Path, why: str) -> zoo.IntegrityError:
    """Return the error for a file that is not what it should be."""
    return zoo.IntegrityError(f"{path} {why}; save it again with Keras, or get a fresh copy")


def shown(path: tuple[str, ...]) -> str:
    """Return a path inside a file so that it can be printed."""
    return ascii("/".join(path))[:200]


def _array(item: dict[str, Any], span: Span, file: Path) -> Array:
    path, shape, offset = tuple(item["path"]), tuple(item["shape"]), item["offset"]
    if len(shape) > _MAX_DIMENSIONS or not all(type(side) is int and 0 <= side < 1 << 40 for side in shape):
        raise ValueError(f"{shown(path)} has an impossible shape")
    array = Array(path, Header(item["dtype"], shape), span.start + offset, file)
    if type(offset) is not int or offset < 0 or offset + array.size > span.size:
        raise ValueError(f"{shown(path)} lies beyond the end")
    return array


def _report(path: Path, span: Span) -> dict[str, Any]:
    known = path.stat()
    returned, output = _once(path, span, (known.st_dev, known.st_ino, known.st_mtime_ns, known.st_ctime_ns))
    if returned or not output or len(output) > _MAX_REPORT:
        raise broken(path, "ended the process that read it, as a broken HDF5 file does")
    report: dict[str, Any] = json.loads(output)
    if "refused" in report:
        raise broken(path, str(report["refused"]))
    return report


@lru_cache(maxsize=4)
def _once(path: Path, span: Span, state: tuple[int, ...]) -> tuple[int, bytes]:
    """Run the program once for a file that stays as it is: to load weights they are described first, and then read."""
    return run_program(path, span)


def run_program(path: Path, span: Span) -> tuple[int, bytes]:
    """Run the program that reads the metadata; return its exit code and its standard output."""
    command = [sys.executable, "-P", "-S", str(Path(hdf5_program.__file__))]
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    try:
        done = subprocess.run(
            [*command, str(path.absolute()), str(span.start), str(span.size)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, **_ALONE, "PYTHONPATH": os.pathsep.join(sys.path)},
            timeout=_CLOCK,  # of a clock; its seconds are those of a processor
        )
    except subprocess.TimeoutExpired:
        raise broken(path, f"was not read within {_CLOCK} s") from None
    return done.returncode, done.stdout
