"""zoo.lock: which commit and which bytes a name stood for when it was locked. Written and obeyed on request."""

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from zoo.errors import IntegrityError, NotFoundError, StorageError
from zoo.files import storage_errors, write_file
from zoo.hub.records import PulledFile, PulledRepo
from zoo.registry.catalogue import PublishedFile
from zoo.strict_toml import read_toml

LOCK_FILE = Path("zoo.lock")
VERSION = 1
_CARD = "README.md"
_log = logging.getLogger("zoo")
_HEAD = "# What names stand for, byte for byte. `zoo pull NAME --lock` writes it, `--locked` obeys it.\n"


class LockedWeights(Struct, frozen=True, forbid_unknown_fields=True):
    """One name: its repo at a commit, and every file of it."""

    repo: Annotated[str, Meta(pattern=r"^[\w.-]{1,96}/[\w.-]{1,96}\Z")]
    commit: Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")]
    files: Annotated[dict[str, PublishedFile], Meta(min_length=1)]


class LockedBase(Struct, frozen=True, forbid_unknown_fields=True):
    """The weights that an adapter of another library was first loaded onto: their address, commit and tensors."""

    source: Annotated[str, Meta(min_length=1, max_length=4096)]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    commit: Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")] | None = None


class _Document(Struct, forbid_unknown_fields=True):
    version: int
    weights: dict[str, LockedWeights] = {}
    bases: dict[Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")], LockedBase] = {}


def locked(name: str, path: Path = LOCK_FILE) -> LockedWeights:
    """Return what a name is locked to. Raise NotFoundError where it is not."""
    found = read_lock(path)
    if name not in found:
        what = f"{path} does not list {name!r}" if found else f"no {path} here"
        raise NotFoundError(f"{what}; write it with: zoo pull {name} --lock")
    return found[name]


def pinned_bytes(name: str, path: Path = LOCK_FILE) -> dict[str, tuple[str, int]]:
    """Return (sha256, size) of what a name is locked to, but for its card, which says nothing to a model."""
    found = read_lock(path).get(name)
    files = {} if found is None else found.files
    return {file: (known.sha256, known.size) for file, known in files.items() if file != _CARD}


@contextmanager
def saying_who_pinned(name: str) -> Iterator[None]:
    """Add to an IntegrityError of the block what to do about a pin that no longer fits."""
    try:
        yield
    except IntegrityError as error:
        if not pinned_bytes(name):
            raise
        raise IntegrityError(
            f"{error} by zoo.lock, where the first pull pinned it: `zoo pull {name} --locked` takes what was there, "
            f"`zoo pull {name} --lock` what is there now"
        ) from error


def pin_first(name: str, pulled: PulledRepo, path: Path = LOCK_FILE) -> None:
    """Lock what was pulled under a name whose bytes nobody had pinned, unless it is locked already."""
    if pinned_bytes(name, path):
        return
    try:
        write_lock(name, pulled.repo, pulled.commit, pulled.files, path)
    except StorageError as error:
        _log.warning("%s is not pinned: %s", name, error)
    else:
        _log.info("%s had no pinned bytes; %s pins what was fetched now", name, path)


def read_lock(path: Path = LOCK_FILE) -> dict[str, LockedWeights]:
    """Read a lock file strictly; where there is none, nothing is locked."""
    return _read(path).weights


def read_bases(path: Path = LOCK_FILE) -> dict[str, LockedBase]:
    """Return the bases of adapters that do not name theirs by a hash, by the sha256 of the adapter."""
    return _read(path).bases


def write_lock(name: str, repo: str, commit: str, files: Iterable[PulledFile], path: Path = LOCK_FILE) -> None:
    """Lock a name, leaving the others as they are."""
    document = _read(path)
    hashes = {file.name: PublishedFile(file.sha256, file.size) for file in files}
    document.weights[name] = LockedWeights(repo, commit, hashes)
    _write(document, path)


def write_base(adapter: str, base: LockedBase, path: Path = LOCK_FILE) -> None:
    """Pin the base of the adapter of this sha256, leaving the rest as it is."""
    document = _read(path)
    document.bases[adapter] = base
    _write(document, path)


def _read(path: Path) -> _Document:
    try:
        document = msgspec.convert(read_toml(path), _Document)
    except FileNotFoundError:
        return _Document(VERSION, {}, {})
    except (ValueError, msgspec.ValidationError) as error:  # ValueError: a lone surrogate
        raise IntegrityError(f"{path} is not a lock file: {error}; correct it, or remove it and lock again") from None
    if document.version != VERSION:
        raise IntegrityError(f"{path} has version {document.version}, this zoo reads {VERSION}; pip install -U zoo-hub")
    return document


def _write(document: _Document, path: Path) -> None:
    parts = [_HEAD + f"version = {VERSION}\n"]
    for key, entry in sorted(document.weights.items()):
        table = f"weights.{_quoted(key)}"
        lines = [f"[{table}]", f"repo = {_quoted(entry.repo)}", f"commit = {_quoted(entry.commit)}", f"[{table}.files]"]
        for file, known in sorted(entry.files.items()):
            lines.append(f'{_quoted(file)} = {{ sha256 = "{known.sha256}", size = {known.size} }}')
        parts.append("\n".join(lines) + "\n")
    for adapter, base in sorted(document.bases.items()):
        commit = [] if base.commit is None else [f"commit = {_quoted(base.commit)}"]
        lines = [f"[bases.{adapter}]", f"source = {_quoted(base.source)}", *commit, f"sha256 = {_quoted(base.sha256)}"]
        parts.append("\n".join(lines) + "\n")
    with storage_errors(f"writing {path}"):
        write_file(path, "\n".join(parts).encode())


def _quoted(text: str) -> str:
    """Return a TOML basic string; JSON's is one, but for DEL, which TOML wants escaped."""
    return json.dumps(text).replace("\x7f", "\\u007f")
