"""The program of the process that reads the metadata of one HDF5 file: where which array lies, and no array itself.

libhdf5 crashes on malformed files, and may ask for all memory there is. Here it has little of both memory and
processor, no network, and nothing to write to. Standard output is one JSON object: what was found, or what was refused.
"""

import io
import json
import math
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

MEMORY = 200 << 20
SECONDS = 5
MAX_OBJECTS = 100_000
MAX_DEPTH = 40
MAX_NAME = 500
MAX_TEXT = 32 << 20
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # Linux
_DTYPES = {
    **{"<f2": "F16", "<f4": "F32", "<f8": "F64", "|b1": "BOOL"},
    **{f"<i{size}": f"I{8 * size}" for size in (2, 4, 8)},
    **{f"<u{size}": f"U{8 * size}" for size in (2, 4, 8)},
    **{"|i1": "I8", "|u1": "U8"},
}


class RefusedError(Exception):
    """Why nothing of the file is taken."""


class Window(io.RawIOBase):
    """A part of a file as a file, for h5py: a member of an archive that is stored as it is."""

    def __init__(self, path: str, start: int, size: int) -> None:
        super().__init__()
        self.descriptor, self.start, self.size, self.place = os.open(path, os.O_RDONLY), start, size, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = offset + (0, self.place, self.size)[whence]
        return self.place

    def tell(self) -> int:
        return self.place

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self.size - self.place))
        content = os.pread(self.descriptor, wanted, self.start + self.place)
        buffer[: len(content)] = content
        self.place += len(content)
        return len(content)


def bound() -> None:
    """Allow little memory beyond what is mapped now, little of a processor, no network, and no file to write."""
    with suppress(ValueError, OSError):  # macOS has no such limit
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with suppress(OSError, AttributeError):
        if sys.platform == "linux":
            import ctypes

            ctypes.CDLL(None).unshare(_NEW_USER | _NEW_NETWORK)


def described(file: Any) -> dict[str, Any]:
    """Return the arrays of an open file, the names of its groups, and what Keras writes of itself."""
    import h5py

    if file.userblock_size:
        raise RefusedError("begins with a block of another program")
    tensors: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    seen = {h5py.h5o.get_info(file.id).addr}
    stack: list[tuple[Any, tuple[str, ...]]] = [(file, ())]
    objects = 0
    while stack:
        group, path = stack.pop()
        if isinstance(said := attribute(group, "name"), str) and len(said) <= MAX_NAME:
            names["/".join(path)] = said
        for name in group:
            objects += 1
            if objects > MAX_OBJECTS or len(path) >= MAX_DEPTH or len(name) > MAX_NAME:
                raise RefusedError(f"holds more than {MAX_OBJECTS:,} groups and arrays, or too deep ones")
            link = group.get(name, getlink=True)
            shown = ascii("/".join((*path, name)))[:200]
            if not isinstance(link, h5py.HardLink):
                raise RefusedError(f"holds {shown}, a link that could lead elsewhere")
            item = group[name]
            if (place := h5py.h5o.get_info(item.id).addr) in seen:
                raise RefusedError(f"holds {shown} a second time under another name")
            seen.add(place)
            if isinstance(item, h5py.Group):
                stack.append((item, (*path, name)))
            elif isinstance(item, h5py.Dataset):
                tensors.append({"path": [*path, name], **array(item, shown)})
            else:
                raise RefusedError(f"holds {shown}, which is no array")
    return {"tensors": tensors, "names": names, "legacy": legacy(file), "config": config_of(file)}


def array(item: Any, shown: str) -> dict[str, Any]:
    """Return the type, the shape and the place of one array. Raise RefusedError unless it lies there as it is."""
    from h5py import h5d

    kept = item.id.get_create_plist()
    if kept.get_layout() == h5d.VIRTUAL or kept.get_external_count():
        raise RefusedError(f"holds {shown}, whose numbers lie in other files")
    if kept.get_layout() != h5d.CONTIGUOUS or kept.get_nfilters():
        raise RefusedError(f"holds {shown} in chunks or compressed, as Keras writes none")
    kind = item.dtype.str
    bfloat16 = kind in ("|V2", "<V2") and attribute(item, "dtype") == "bfloat16"
    if kind not in _DTYPES and not bfloat16:
        raise RefusedError(f"holds {shown}, an array of the type {ascii(kind)[:40]}")
    shape = None if item.shape is None else [int(side) for side in item.shape]
    place = item.id.get_offset()
    if shape is None or (place is None and 0 not in shape):
        raise RefusedError(f"holds {shown}, an array without numbers")
    return {"dtype": "BF16" if bfloat16 else _DTYPES[kind], "shape": shape, "offset": int(place or 0)}


def attribute(item: Any, name: str) -> Any:
    """Return an attribute, of text as text; None where there is none, or one of more than `MAX_TEXT` bytes."""
    if name not in item.attrs:
        return None
    kept = item.attrs.get_id(name)
    if math.prod(kept.shape or ()) * kept.dtype.itemsize > MAX_TEXT or len(kept.shape or ()) > 1:
        return None
    value = item.attrs[name]
    return value.decode() if isinstance(value, bytes) else value


def legacy(file: Any) -> list[list[Any]] | None:
    """Return what Keras 2 lists: each layer's group, with the names of its arrays in their order."""
    roots = [name for name in ("model_weights", "top_level_model_weights") if name in file]
    for root in roots or [""]:
        group = file[root] if root else file
        layers = texts(group, "layer_names")
        if layers is None:
            return None
        found = [["/".join(filter(None, (root, layer))), texts(group[layer], "weight_names") or []] for layer in layers]
        if "top_level_model_weights" in roots:
            found.append(["top_level_model_weights", texts(file["top_level_model_weights"], "weight_names") or []])
        return found
    return None


def texts(group: Any, name: str) -> list[str] | None:
    """Return an attribute that lists names, which Keras divides where it is long; None where there is none."""
    parts = [name] if name in group.attrs else []
    while f"{name}{len(parts)}" in group.attrs and len(parts) < MAX_OBJECTS and name not in group.attrs:
        parts.append(f"{name}{len(parts)}")
    found = [attribute(group, part) for part in parts]
    if not parts or any(part is None for part in found):
        return None
    return [item.decode() if isinstance(item, bytes) else str(item) for part in found for item in part]


def config_of(file: Any) -> str | None:
    """Return the configuration of the model where the file has it."""
    found = attribute(file, "model_config")
    return found if isinstance(found, str) else None


def main(path: str, start: str, size: str) -> None:
    """Describe one file, or part of it, and say so."""
    import h5py

    bound()
    try:
        with h5py.File(Window(path, int(start), int(size)), "r") as file:
            report = described(file)
    except RefusedError as error:
        report = {"refused": str(error)}
    except MemoryError:
        report = {"refused": "asks for more memory than its metadata explain"}
    except Exception as error:  # of whatever libhdf5 finds wrong
        report = {"refused": f"is no HDF5 file, or a broken one ({type(error).__name__})"}
    output = memoryview(json.dumps(report).encode())
    while output:
        output = output[os.write(1, output) :]
    os._exit(0)  # without libhdf5's own clearing up, which crashes on what it could not read


if __name__ == "__main__":
    main(*sys.argv[1:])
