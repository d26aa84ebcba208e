"""Vectors in one file, made from the parts of a folder beside it, which then goes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch

from zoo.errors import IntegrityError, UsageError
from zoo.extras import require
from zoo.files import new_file, storage_errors
from zoo.inference.embedding.container import StoredVectors, read_identity, read_vectors, write_vectors
from zoo.inference.embedding.parts import Plan, read_manifest, read_parts, remove_parts, write_parts

_IDENTITY = b"identity"


def check_out(out: Path, processes: int = 1) -> None:
    """Raise UsageError for a name that says nothing of what is to be written, or for what is not installed.

    Of several processes each writes parts of its own, for which there must be a folder.
    """
    if out.suffix and out.suffix not in _FILES and not out.is_dir():
        raise UsageError(f"{out} is neither .safetensors nor .parquet; name such a file, or a folder")
    if processes > 1 and is_file(out):
        raise UsageError(f"{processes} processes write a folder of parts, and {out} is one file; give --out DIR")
    if out.suffix == ".parquet":
        _pyarrow()


def is_file(out: Path) -> bool:
    """Tell whether vectors go to a file of this name, rather than to a folder."""
    return out.suffix in _FILES and not out.is_dir()


def write_embeddings(plan: Plan, out: Path, advanced: Callable[[int], None], *, force: bool = False) -> bool:
    """Write vectors to a folder of parts, or to a file; return whether anything was left to do.

    Raise UsageError where `out` holds something else, unless `force` replaces it.
    """
    check_out(out, plan.world_size)
    if not is_file(out):
        return write_parts(plan, out, advanced, force=force)
    if out.exists() and not force:
        if _FILES[out.suffix].identity(out) != plan.identity:
            raise UsageError(f"{out} holds something else; choose another --out, or replace it with --force")
        return False
    folder = out.with_name(f"{out.name}.parts")
    write_parts(plan, folder, advanced, force=force)
    with storage_errors(f"writing {out}"):
        with new_file(out) as file:
            _FILES[out.suffix].write(folder, file)
        remove_parts(folder)
    return True


def read_embeddings(out: Path) -> Iterator[StoredVectors]:
    """Yield the vectors of a file or a folder, part by part."""
    return _FILES[out.suffix].read(out) if is_file(out) else read_parts(out)


class _Safetensors:
    @staticmethod
    def write(folder: Path, file: BinaryIO) -> None:
        manifest = read_manifest(folder)
        names = [name for part in read_parts(folder) for name in part.names]
        vectors = (part.vectors for part in read_parts(folder))
        write_vectors(file, vectors, names, features=manifest.features, identity=manifest.identity)

    @staticmethod
    def read(path: Path) -> Iterator[StoredVectors]:
        yield read_vectors(path)

    identity = staticmethod(read_identity)


class _Parquet:
    """Two columns: `name`, and `embedding`, a list of as many floats in each row."""

    @staticmethod
    def write(folder: Path, file: BinaryIO) -> None:
        pa, parquet = _pyarrow()
        manifest = read_manifest(folder)
        fields = [("name", pa.string()), ("embedding", pa.list_(pa.float32(), manifest.features))]
        schema = pa.schema(fields, metadata={_IDENTITY: manifest.identity})
        with parquet.ParquetWriter(file, schema) as writer:
            for part in read_parts(folder):
                flat = pa.array(part.vectors.flatten().numpy())
                rows = pa.FixedSizeListArray.from_arrays(flat, manifest.features)
                writer.write_table(pa.table([pa.array(part.names), rows], schema=schema))

    @staticmethod
    def read(path: Path) -> Iterator[StoredVectors]:
        with _Parquet._opened(path) as file:
            identity = file.schema_arrow.metadata[_IDENTITY].decode()
            for batch in file.iter_batches():
                flat = torch.from_numpy(batch.column("embedding").flatten().to_numpy().copy())
                yield StoredVectors(flat.view(batch.num_rows, -1), batch.column("name").to_pylist(), identity)

    @staticmethod
    def identity(path: Path) -> str | None:
        with _Parquet._opened(path) as file:
            found: bytes | None = (file.schema_arrow.metadata or {}).get(_IDENTITY)
            return None if found is None else found.decode()

    @staticmethod
    @contextmanager
    def _opened(path: Path) -> Iterator[Any]:
        pa, parquet = _pyarrow()
        try:
            with parquet.ParquetFile(path) as file:
                yield file
        except (pa.ArrowException, KeyError) as error:
            reason = str(error).partition("\n")[0]
            raise IntegrityError(f"{path} is no file of vectors: {reason}; remove it, and make it again") from None


_FILES: dict[str, type[_Safetensors] | type[_Parquet]] = {".safetensors": _Safetensors, ".parquet": _Parquet}


def _pyarrow() -> tuple[Any, Any]:
    require("a .parquet file", "pyarrow")
    import pyarrow
    import pyarrow.parquet

    return pyarrow, pyarrow.parquet
