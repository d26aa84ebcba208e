"""Weights in several files: `NAME.weights.json` lists which of its shards has what."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zoo
from zoo_keras.archive import MAX_JSON
from zoo_keras.hdf5 import Array, Contents, Span, broken, read_contents, shown

INDEX = ".weights.json"
_MAX_SHARDS = 1000
_SHARD = re.compile(r"[A-Za-z0-9_][\w.-]{0,199}\.weights\.h5", re.ASCII)


def read_shards(path: Path) -> Contents:
    """Describe what all shards hold together. Raise IntegrityError where they are not as the index says."""
    if path.stat().st_size > MAX_JSON:
        raise broken(path, f"has more than {MAX_JSON >> 20} MiB")
    index = zoo.parse_json(path.read_bytes(), str(path), max_bytes=MAX_JSON)
    places = _places(index, path)
    files = sorted({name for names in places.values() for name in names})
    if not files or len(files) > _MAX_SHARDS:
        raise broken(path, f"lists {len(files)} shards, none or more than there can be")
    arrays: dict[tuple[str, ...], Array] = {}
    names: dict[str, str] = {}
    for name in files:
        shard = path.with_name(name)
        if not shard.is_file() or shard.resolve().parent != path.resolve().parent:
            raise broken(path, f"lists {ascii(name)}, which does not lie beside it")
        contents = read_contents(shard, Span(0, shard.stat().st_size))
        for array in contents.arrays:
            if array.path in arrays:
                raise broken(path, f"has {shown(array.path)} in two shards")
            if name not in places.get("/" + "/".join(array.path[:-1]), ()):
                raise broken(path, f"does not list {shown(array.path)}, which lies in {ascii(name)}")
            arrays[array.path] = array
        names |= contents.names
    total = index["metadata"].get("total_size") if isinstance(index.get("metadata"), dict) else None
    size = sum(array.size for array in arrays.values())
    if isinstance(total, (int, float)) and total != size:
        raise broken(path, f"announces {total:,.0f} bytes of arrays, but they are {size:,}")
    return Contents(tuple(arrays.values()), names, None, None)


def _places(index: Mapping[str, Any], path: Path) -> dict[str, tuple[str, ...]]:
    """Return which shards have something of each group."""
    listed = index.get("weight_map")
    if not isinstance(listed, dict):
        raise broken(path, "has no weight_map")
    found = {}
    for group, value in listed.items():
        names = tuple(value) if isinstance(value, list) else (value,)
        for name in names:
            if not isinstance(name, str) or not _SHARD.fullmatch(name):
                raise broken(path, f"lists {ascii(str(name))[:80]}, which is no shard's name")
        found[group] = names
    return found
