"""Checkpoints on disk: tensors as safetensors, the rest as JSON, a manifest with hashes, and nothing pickled.

Written to a temporary folder, flushed, given its name by a rename, the parent flushed; only then are old ones removed.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from safetensors.torch import load_file, save_file

from zoo.engine.snapshot import FORMAT_VERSION, Snapshot
from zoo.errors import IntegrityError
from zoo.files import inside, new_folder, storage_errors
from zoo.strict_json import parse_json
from zoo.weights.header import read_header

STEP, BEST = "step", "best"
_log = logging.getLogger("zoo")


class CheckpointWriter:
    """Write snapshots one after the other in a thread of its own, while training goes on."""

    def __init__(self, folder: Path, *, keep: int, written: Callable[[Path, int], None]) -> None:
        self.folder = folder
        self.keep = keep
        self._written = written
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="zoo-checkpoint")
        self._pending: Future[None] | None = None

    def save(self, snapshot: Snapshot, kind: str = STEP) -> None:
        """Begin to write `step-00000123` or `best-00000123`. Raise what went wrong with the one before."""
        self.wait()
        self._pending = self._thread.submit(self._write, snapshot, kind)

    def wait(self) -> None:
        """Wait until everything is on disk. Raise StorageError when it could not be written."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending.result()

    def close(self) -> None:
        """Wait, whatever came of it, and end the thread."""
        self._thread.shutdown()

    def _write(self, snapshot: Snapshot, kind: str) -> None:
        step = int(snapshot.values["loop"]["step"])
        path = self.folder / f"{kind}-{step:08d}"
        if not (path.is_dir() and verify(path) is None):
            write_checkpoint(path, snapshot)
        self._written(path, step)
        for old in saved(self.folder, kind)[: -(self.keep if kind == STEP else 1)]:
            shutil.rmtree(old, ignore_errors=True)


def write_checkpoint(path: Path, snapshot: Snapshot) -> None:
    """Write a snapshot under its final name, whole or not at all."""
    with storage_errors(f"saving checkpoint {path}"), new_folder(path) as temporary:
        for name, tensors in snapshot.tensors.items():
            save_file(tensors, temporary / f"{name}.safetensors")
        (temporary / "state.json").write_text(json.dumps(snapshot.values), encoding="utf-8")
        manifest = {
            file.name: {"sha256": _sha256(file), "size": file.stat().st_size} for file in sorted(temporary.iterdir())
        }
        (temporary / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def read_checkpoint(path: Path) -> Snapshot:
    """Read a checkpoint that verifies. Raise IntegrityError for one of another format."""
    values = parse_json((path / "state.json").read_bytes(), str(path / "state.json"), max_bytes=100 * 1024 * 1024)
    if values.get("format_version") != FORMAT_VERSION:
        raise IntegrityError(
            f"{path} has format_version {values.get('format_version')!r}, this zoo reads {FORMAT_VERSION}; "
            "resume with the Zoo that wrote it, or start over with --force"
        )
    tensors = {}
    for file in sorted(path.glob("*.safetensors")):
        read_header(file)
        tensors[file.stem] = load_file(file)
    return Snapshot(tensors, values)


def newest_checkpoint(folder: Path, kind: str = STEP) -> Path | None:
    """Return the newest checkpoint that verifies; None where there is none at all.

    A broken one is passed over with a warning. Raise IntegrityError when every one is broken.
    """
    found = saved(folder, kind)
    for path in reversed(found):
        if (fault := verify(path)) is None:
            return path
        _log.warning("checkpoint %s %s; using the previous one", path, fault)
    if found:
        raise IntegrityError(f"no checkpoint in {folder} verifies; start over with --force")
    return None


def verify(path: Path) -> str | None:
    """Return what is wrong with a checkpoint, or None: every file that the manifest lists has its size and sha256."""
    try:
        manifest = parse_json((path / "manifest.json").read_bytes(), str(path / "manifest.json"))
        for name, expected in manifest.items():
            if (file := inside(path, name)) is None or file.parent != path:
                return f"lists {ascii(name)}, which is no file of its own"
            if file.stat().st_size != expected["size"] or _sha256(file) != expected["sha256"]:
                return f"has a broken {name}"
        if extra := {file.name for file in path.iterdir()} - manifest.keys() - {"manifest.json"}:
            return f"holds {min(extra)}, which its manifest does not list"
    except (OSError, IntegrityError, TypeError, KeyError) as error:
        return f"is incomplete ({error})"
    return None


def saved(folder: Path, kind: str = STEP) -> list[Path]:
    """Return the checkpoints of a kind, oldest first, whether they verify or not."""
    return sorted(path for path in folder.glob(f"{kind}-*") if path.is_dir())


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process left half-written."""
    for path in [*folder.glob(".*.tmp"), *folder.glob(".*.old")]:
        shutil.rmtree(path, ignore_errors=True)


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
