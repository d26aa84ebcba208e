"""Weights in several files: model.safetensors.index.json says which tensor lies in which shard."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from zoo.errors import IntegrityError, NotFoundError
from zoo.files import check_plain
from zoo.strict_json import parse_json

INDEX_FILE = "model.safetensors.index.json"
MAX_INDEX_BYTES = 25 * 1024 * 1024
MAX_SHARDS = 1000
_SHARD = re.compile(r"[A-Za-z0-9_][\w.-]{0,199}\.safetensors", re.ASCII)


class _Metadata(Struct, frozen=True):
    """What writers note about the whole; only the size is checked, and others may note more."""

    total_size: Annotated[int, Meta(ge=0)] | None = None


class _Index(Struct, forbid_unknown_fields=True):
    weight_map: dict[str, str]
    metadata: _Metadata = _Metadata()


def read_index(folder: Path) -> tuple[dict[str, list[str]], int | None] | None:
    """Return the names of the tensors in each shard, and the total size that is announced; None without an index.

    Raise IntegrityError for an index that is broken, or whose shards could lie elsewhere than in this folder.
    """
    path = folder / INDEX_FILE
    check_plain(path)
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_INDEX_BYTES + 1)
    except FileNotFoundError:
        return None
    values = parse_json(content, str(path), max_bytes=MAX_INDEX_BYTES)
    try:
        index = msgspec.convert(values, _Index)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{path} is not a shard index: {error}; get a fresh copy") from None
    shards: dict[str, list[str]] = {}
    for tensor, shard in index.weight_map.items():
        shards.setdefault(shard, []).append(tensor)
    if not shards or len(shards) > MAX_SHARDS:
        raise IntegrityError(f"{path} lists {len(shards):,} shards, not 1 to {MAX_SHARDS:,}; get a fresh copy")
    for shard in shards:
        check_shard(folder, shard)
    return shards, index.metadata.total_size


def check_shard(folder: Path, shard: str) -> None:
    """Raise unless the name is that of a file in this folder, and what lies there is no way out of it."""
    if not _SHARD.fullmatch(shard):
        raise IntegrityError(
            f"{folder / INDEX_FILE} names the shard {ascii(shard[:80])}, which is not a plain safetensors file name; "
            "get a fresh copy"
        )
    path = folder / shard
    if path.is_symlink() and not path.resolve().is_relative_to(_root(folder)):
        raise IntegrityError(f"{path} is a link out of its folder; get a fresh copy")
    if not path.is_file():
        raise NotFoundError(
            f"no {shard} in {folder}, which its index lists; the weights are incomplete, pull them again"
        )


def _root(folder: Path) -> Path:
    """Return where links may lead: the folder, or for a snapshot of the Hugging Face cache its repo with the blobs."""
    folder = folder.resolve()
    return folder.parents[1] if folder.parent.name == "snapshots" else folder


def write_index(folder: Path, shards: Mapping[str, Mapping[str, int]]) -> None:
    """Write the index from the size of every tensor in every shard."""
    document: dict[str, Any] = {
        "metadata": {"total_size": sum(sum(sizes.values()) for sizes in shards.values())},
        "weight_map": {tensor: shard for shard, sizes in shards.items() for tensor in sizes},
    }
    (folder / INDEX_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
