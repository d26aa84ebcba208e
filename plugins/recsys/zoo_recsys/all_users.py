"""Recommend to all users of data, in parts that are kept: the same command goes on where it was interrupted."""

import hashlib
import io
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

import zoo
from zoo.commands.output import counted, print_line

if TYPE_CHECKING:
    from zoo_recsys.predictor import Recommend

_SCORED_AT_ONCE = 2**26
_USERS_A_PART = 4096
_PLAN = b"zoo_recsys.plan"


def write_all(predict: "Recommend", out: Path, *, k: int, seen: bool, data: str | None, data_dir: Path | None) -> None:
    """Write a parquet table of user, rank, item, title and score; whole or not at all. One that is finished stays."""
    if out.suffix != ".parquet":
        raise zoo.UsageError(f"--out {out} is no parquet file; say --out {out.with_suffix('.parquet')}")
    known = predict.known_users(data, data_dir)
    plan = json.dumps({"k": k, "seen": seen, "users": len(known.names), **_identity(predict, known)}, sort_keys=True)
    said = f"{counted(len(known.names), 'user')}, {counted(k, 'item')} each: {out}"
    if out.exists():
        if _plan_of(out) != plan.encode():
            raise zoo.UsageError(f"{out} exists and holds something else; remove it, or choose another --out")
        print_line(f"{said}  (done before)")
        return
    parts = out.with_name(f".{out.name}.parts")
    _begin(parts, plan.encode())
    size = max(1, min(_USERS_A_PART, _SCORED_AT_ONCE // len(predict.vocabulary.table.names)))
    starts = range(0, len(known.names), size)
    paths = [parts / f"{start}.parquet" for start in starts]
    for start, path in zip(starts, paths, strict=True):
        if not path.exists():
            stream = io.BytesIO()
            parquet.write_table(
                _part(predict, known, range(start, min(start + size, len(known.names))), k, seen), stream
            )
            zoo.write_file(path, stream.getvalue())
    whole = parts / "whole"
    with parquet.ParquetWriter(whole, parquet.read_schema(paths[0]).with_metadata({_PLAN: plan})) as writer:
        for path in paths:
            writer.write_table(parquet.read_table(path))
    os.replace(whole, out)
    shutil.rmtree(parts)
    print_line(said)


def _part(predict: "Recommend", known: Any, places: range, k: int, seen: bool) -> Any:
    names = [known.names[place] for place in places]
    first, last = known.histories.starts[places.start], known.histories.starts[places.stop]
    starts = known.histories.starts[places.start : places.stop + 1] - first
    items = zoo.Ragged(known.histories.values[first:last], starts)
    numbers = predict.vocabulary.user_numbers
    scores, found = predict.best(items, np.array([numbers.get(name, -1) for name in names]), k, seen)
    kept = scores.flatten() > -np.inf
    table = predict.vocabulary.table
    flat = found.flatten()[kept].tolist()
    return pa.table(
        {
            "user": pa.array(np.repeat(np.array(names, object), found.shape[1])[kept.numpy()], pa.string()),
            "rank": pa.array(np.tile(np.arange(1, found.shape[1] + 1), len(names))[kept.numpy()], pa.int32()),
            "item": pa.array([table.names[place] for place in flat], pa.string()),
            "title": pa.array([table.titles[place] for place in flat], pa.string()),
            "score": pa.array(scores.flatten()[kept].numpy(), pa.float32()),
        }
    )


def _plan_of(out: Path) -> bytes | None:
    """Return by which plan a table was written; None of what no such command wrote."""
    try:
        return (parquet.read_schema(out).metadata or {}).get(_PLAN)
    except (OSError, pa.ArrowInvalid):
        return None


def _begin(folder: Path, plan: bytes) -> None:
    """Make the folder of parts, or go on in one of the same plan."""
    record = folder / "plan.json"
    if record.exists() and record.read_bytes() != plan:
        raise zoo.UsageError(f"{folder} holds parts of another command; remove it, or choose another --out")
    folder.mkdir(parents=True, exist_ok=True)
    zoo.write_file(record, plan)


def _identity(predict: "Recommend", known: Any) -> dict[str, str]:
    """Return the sha256 of weights, and of who has what."""
    weights, data = hashlib.sha256(predict.vocabulary.items_content), hashlib.sha256()
    for name, tensor in sorted(predict.loaded.model.state_dict().items()):
        weights.update(name.encode())
        weights.update(np.ascontiguousarray(tensor.cpu().numpy()).data)
    for part in (known.histories.values, known.histories.starts):
        data.update(np.ascontiguousarray(part).data)
    return {"weights": weights.hexdigest(), "data": data.hexdigest()}
