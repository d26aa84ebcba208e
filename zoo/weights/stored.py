"""The tensors that lie in a weights folder, in one file or in shards: described first, mapped afterwards."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import IntegrityError, UsageError
from zoo.weights.header import TensorHeader, read_header
from zoo.weights.shards import INDEX_FILE, read_index, write_index

if TYPE_CHECKING:
    import torch
    from torch import Tensor

WEIGHTS_FILE = "model.safetensors"
_log = logging.getLogger("zoo")


@dataclass(frozen=True)
class StoredTensors:
    """What a folder's files hold, by their headers. Nothing is mapped before `load`.

    `homes` has the file of every tensor where there are several.
    """

    path: Path
    files: tuple[Path, ...]
    headers: dict[str, TensorHeader]
    homes: dict[str, Path] = field(default_factory=dict, repr=False)

    def home(self, name: str) -> Path:
        """Return the file that a tensor lies in; its header has the place there."""
        return self.homes.get(name, self.files[0])

    def load(self, device: str | torch.device = "cpu") -> dict[str, Tensor]:
        """Map every file once; on another device than the CPU, copy its tensors there."""
        from safetensors.torch import load_file

        tensors: dict[str, Tensor] = {}
        for file in self.files:
            tensors |= load_file(file, device=str(device))
        return tensors


@dataclass(frozen=True)
class JoinedTensors:
    """What several files of a folder hold together, each under the name of its part: `encoder.`, `decoder.`."""

    path: Path
    parts: dict[str, StoredTensors]

    @property
    def headers(self) -> dict[str, TensorHeader]:
        """What the files hold, by name."""
        return {
            f"{part}.{name}": header for part, stored in self.parts.items() for name, header in stored.headers.items()
        }

    def load(self, device: str | torch.device = "cpu") -> dict[str, Tensor]:
        """Map every file once; on another device than the CPU, copy its tensors there."""
        loaded = {part: stored.load(device) for part, stored in self.parts.items()}
        return {f"{part}.{name}": tensor for part, tensors in loaded.items() for name, tensor in tensors.items()}


def stored_tensors(path: str | Path) -> StoredTensors:
    """Read the headers of a weights folder's files, or of one file of tensors.

    Raise NotFoundError for a file that is missing, and IntegrityError for one that is broken, or shards that disagree.
    """
    folder = Path(path)
    if folder.is_file():
        return StoredTensors(folder, (folder,), read_header(folder))
    index = read_index(folder)
    single = folder / WEIGHTS_FILE
    if index is None:
        return StoredTensors(single, (single,), read_header(single))
    path = folder / INDEX_FILE
    if single.exists():
        raise IntegrityError(f"{folder} holds both {WEIGHTS_FILE} and {INDEX_FILE}; remove one of them")
    shards, total_size = index
    headers: dict[str, TensorHeader] = {}
    homes: dict[str, Path] = {}
    for shard, listed in shards.items():
        found = read_header(folder / shard)
        if twice := sorted(headers.keys() & found.keys()):
            raise IntegrityError(f"{path}: tensor {twice[0]!r} lies in two shards; get a fresh copy")
        if strays := sorted(found.keys() ^ set(listed)):
            where = f"is not in {shard}, where it should be" if strays[0] in listed else f"lies in {shard}, unlisted"
            raise IntegrityError(f"{path}: tensor {strays[0]!r} {where}; get a fresh copy")
        headers |= found
        homes |= dict.fromkeys(found, folder / shard)
    size = sum(header.size for header in headers.values())
    if total_size not in (None, size):
        raise IntegrityError(
            f"{path} announces {total_size:,} bytes of tensors, but they are {size:,}; get a fresh copy"
        )
    if unlisted := sorted({file.name for file in folder.glob("model-*.safetensors")} - shards.keys()):
        _log.warning("%s does not list %s, which is ignored", path, unlisted[0])
    return StoredTensors(path, tuple(folder / shard for shard in shards), headers, homes)


def tensors_sha256(path: Path) -> str:
    """Return the sha256 of a file of tensors, or of a folder's; of shards that over all of theirs."""
    files = stored_tensors(path).files if path.is_dir() else (path,)
    found = []
    for file in files:
        with open(file, "rb") as opened:
            found.append(hashlib.file_digest(opened, "sha256").hexdigest())
    return found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest()


def split_weights(folder: Path, max_bytes: int) -> None:
    """Put a folder's tensors into shards of at most so many bytes; leave it as it is where one is enough."""
    from safetensors.torch import save_file

    stored = stored_tensors(folder)
    groups: list[dict[str, int]] = [{}]
    for name, header in stored.headers.items():
        if header.size > max_bytes:
            raise UsageError(
                f"tensor {name!r} has {header.size:,} bytes, more than a shard may have ({max_bytes:,}); "
                "allow larger shards with --max-shard-size"
            )
        if sum(groups[-1].values()) + header.size > max_bytes:
            groups.append({})
        groups[-1][name] = header.size
    if len(groups) == 1 and len(stored.files) == 1:
        return
    tensors = stored.load()
    names = [f"model-{place:05}-of-{len(groups):05}.safetensors" for place in range(1, len(groups) + 1)]
    if len(groups) == 1:
        names = [WEIGHTS_FILE]
    for name, group in zip(names, groups, strict=True):
        temporary = folder / f".{name}"
        save_file({tensor: tensors[tensor] for tensor in group}, temporary, metadata={"format": "pt"})
        temporary.replace(folder / name)
    for file in stored.files:
        if file.name not in names:
            file.unlink()
    (folder / INDEX_FILE).unlink(missing_ok=True)
    if len(groups) > 1:
        write_index(folder, dict(zip(names, groups, strict=True)))
