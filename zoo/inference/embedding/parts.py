"""Vectors in a folder of parts, each whole under its name: what was interrupted goes on with what is there."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from zoo.errors import IntegrityError, NotFoundError, PluginError, UsageError
from zoo.files import storage_errors, write_file
from zoo.inference.embedding.container import StoredVectors, read_vectors, write_vectors
from zoo.specs.modality import Embeds, Samples
from zoo.strict_json import parse_json

MANIFEST = "manifest.json"
PART_SIZE = 2048
_PARTS = "part-*.safetensors"
_VERSION = 1
_AT_ONCE = 256
"""So many items are embedded between two looks at how far it is."""


class Part(msgspec.Struct, frozen=True):
    """One file of the folder."""

    file: str
    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished folder holds; the names of its samples are in the parts."""

    format_version: int
    identity: str
    modality: str
    rows: int
    features: int
    normalized: bool
    weights: str
    samples: str
    parts: list[Part]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to become vectors by which weights, of which this is the sha256, and in parts of how many rows.

    Of `world_size` processes that write to one folder this is number `rank`: it makes every so many-th part.
    """

    embed: Embeds
    samples: Samples
    weights: str
    normalize: bool = False
    part_size: int = PART_SIZE
    batch_size: int | None = None
    rank: int = 0
    world_size: int = 1

    @property
    def identity(self) -> str:
        """The sha256 over all that decides the vectors."""
        decides = [_VERSION, self.weights, self.samples.fingerprint, self.normalize, self.rows]
        return hashlib.sha256(json.dumps(decides).encode()).hexdigest()

    @property
    def rows(self) -> int:
        """How many vectors there will be."""
        return len(self.samples.names)

    def parts(self) -> Iterator[tuple[str, range]]:
        """Yield the names of the parts, and which samples each has."""
        for number, start in enumerate(range(0, self.rows, self.part_size)):
            yield f"part-{number:05}.safetensors", range(start, min(start + self.part_size, self.rows))

    def own_parts(self) -> Iterator[tuple[str, range]]:
        """Yield those parts that are made by this process."""
        return islice(self.parts(), self.rank, None, self.world_size)

    def vectors(self, rows: range, advanced: Callable[[int], None]) -> Tensor:
        """Return the vectors of some samples, a few of which are in memory at a time."""
        requested = {} if self.batch_size is None else {"batch_size": self.batch_size}
        found = []
        for start in range(rows.start, rows.stop, _AT_ONCE):
            items = [self.samples.items[row] for row in range(start, min(start + _AT_ONCE, rows.stop))]
            made = self.embed(items, normalize=self.normalize, **requested)
            if made.ndim != 2 or len(made) != len(items):
                raise PluginError(
                    f"embedding {len(items)} items of {self.embed.modality} data gave a tensor of shape "
                    f"{tuple(made.shape)}, not ({len(items)}, features); tell the plugin's author"
                )
            made = made.cpu()
            if not bool(made.isfinite().all()):
                row = start + int((~made.isfinite()).any(1).nonzero()[0])
                raise IntegrityError(
                    f"{self.samples.names[row]} becomes a vector with NaN or infinity: the weights are broken, or too "
                    "coarse; `zoo verify` tells, and --dtype float32 is the finest"
                )
            found.append(made)
            advanced(len(items))
        return torch.cat(found)


def write_parts(plan: Plan, folder: Path, advanced: Callable[[int], None], *, force: bool = False) -> bool:
    """Write the parts that are missing, then the manifest; return whether anything was missing.

    `advanced` is told how many samples are done. Of several processes each writes its own parts, and the manifest who
    finds all of them there. Raise UsageError where the folder holds other vectors, unless `force` replaces them.
    """
    if force and plan.world_size > 1:
        raise UsageError(f"--force would remove what other processes write; remove {folder} before they start")
    with storage_errors(f"writing vectors to {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        if _holds_others(plan, folder):
            if not force:
                raise UsageError(
                    f"{folder} holds vectors of other weights, samples or options, or parts of another size; choose "
                    "another --out, or replace them with --force"
                )
            remove_parts(folder)
            folder.mkdir(exist_ok=True)
        fresh = not (folder / MANIFEST).exists()
        for name, rows in plan.own_parts():
            path = folder / name
            if path.exists():
                advanced(len(rows))
                continue
            fresh = True
            vectors, content = plan.vectors(rows, advanced), io.BytesIO()
            names = [plan.samples.names[row] for row in rows]
            write_vectors(content, [vectors], names, features=vectors.shape[1], identity=plan.identity)
            write_file(path, content.getvalue())
        if fresh and all((folder / name).exists() for name, _ in plan.parts()):
            _write_manifest(plan, folder)
    return fresh


def read_parts(folder: Path) -> Iterator[StoredVectors]:
    """Yield the vectors of a finished folder, part by part."""
    for part in read_manifest(folder).parts:
        if not (folder / part.file).is_file():
            raise NotFoundError(f"no {part.file} in {folder}, which its manifest lists; make it again, it goes on")
        yield read_vectors(folder / part.file)


def read_manifest(folder: Path) -> Manifest:
    """Read what a finished folder holds. Raise NotFoundError where it is not finished."""
    path = folder / MANIFEST
    try:
        values = parse_json(path.read_bytes(), str(path))
        manifest = msgspec.convert(values, Manifest)
    except FileNotFoundError:
        raise NotFoundError(
            f"no {MANIFEST} in {folder}: its vectors are not finished; go on with the same command"
        ) from None
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{path} is no manifest of vectors: {error}; remove it, and make it again") from None
    if bad := next((part.file for part in manifest.parts if Path(part.file).name != part.file), None):
        raise IntegrityError(f"{path} names the part {bad!r}, which is no file in its folder; remove it")
    return manifest


def remove_parts(folder: Path) -> None:
    """Remove what `write_parts` writes, and nothing else; the folder too where nothing else is in it."""
    (folder / MANIFEST).unlink(missing_ok=True)
    for path in folder.glob(_PARTS):
        path.unlink()
    with suppress(OSError):  # something else is in it
        folder.rmdir()


def _write_manifest(plan: Plan, folder: Path) -> None:
    parts = []
    features = 0
    for name, rows in plan.parts():
        with open(folder / name, "rb") as file:
            parts.append(Part(name, len(rows), hashlib.file_digest(file, "sha256").hexdigest()))
        features = read_vectors(folder / name).vectors.shape[1]
    manifest = Manifest(
        format_version=_VERSION,
        identity=plan.identity,
        modality=plan.embed.modality,
        rows=plan.rows,
        features=features,
        normalized=plan.normalize,
        weights=plan.weights,
        samples=plan.samples.fingerprint,
        parts=parts,
    )
    write_file(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")


def _holds_others(plan: Plan, folder: Path) -> bool:
    """Tell whether there are vectors of something else, or parts of another size."""
    if (folder / MANIFEST).exists() and read_manifest(folder).identity != plan.identity:
        return True
    planned = dict(plan.parts())
    for path in folder.glob(_PARTS):
        found, rows = read_vectors(path), planned.get(path.name, range(0))
        if found.identity != plan.identity or found.names != [plan.samples.names[row] for row in rows]:
            return True
    return False
