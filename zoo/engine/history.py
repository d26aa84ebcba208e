"""Read run folders: what was asked for, how far it came, what it scored. Nothing in a run folder is trusted."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from zoo.errors import IntegrityError, NotFoundError
from zoo.strict_json import MAX_BYTES, parse_json

_MAX_METRICS_BYTES = 64 * 1024 * 1024
_MAX_NUMBER = 2**53
_TAIL_BYTES = 64 * 1024
_DEEPEST = 4


class Resolved(msgspec.Struct):
    """What run.json must hold to be one; it may hold more."""

    kind: str
    model: str
    recipe: str
    settings: dict[str, Any]
    data: dict[str, Any] = {}
    command: str | None = None


@dataclass(frozen=True)
class PastRun:
    """One run folder as it lies on disk.

    `scores` are the test scores of a finished run, and otherwise the last that were taken, as `measured` says. `best`
    and checkpoints that were pruned are not listed. `unreadable` counts lines of metrics.jsonl that are none.
    """

    folder: Path
    resolved: dict[str, Any]
    started: datetime
    finished: bool
    step: int
    scores: dict[str, float]
    measured: str | None
    unreadable: int

    @property
    def known(self) -> Resolved:
        """The part of `resolved` that every run has."""
        return msgspec.convert(self.resolved, Resolved)

    @property
    def state(self) -> str:
        """Say how far it came. A run that goes on at this moment looks like one that was interrupted."""
        return "finished" if self.finished else "unfinished"

    @property
    def checkpoints(self) -> list[Path]:
        """The checkpoints, oldest first."""
        return sorted(path for path in (self.folder / "checkpoints").glob("step-*") if path.is_dir())

    @property
    def pictures(self) -> list[Path]:
        """The pictures that it made."""
        return sorted((self.folder / "pictures").glob("*.png"))


def find_runs(folder: Path) -> list[Path]:
    """Return the run folders below a folder, or the folder itself, by when they were started.

    Links are not followed, and what lies in a run is not looked at. Raise NotFoundError where there is no such folder.
    """
    if not folder.is_dir():
        raise NotFoundError(f"no folder {folder} to search for runs; name another: `zoo runs ls FOLDER`")
    found = []
    for path, names, files in os.walk(folder):
        deep = len(Path(path).relative_to(folder).parts)
        if "run.json" in files:
            found.append(Path(path))
        names[:] = [] if "run.json" in files or deep == _DEEPEST else [n for n in names if not n.startswith(".")]
    return sorted(found, key=lambda run: ((run / "run.json").stat().st_mtime, run))


def read_run(folder: Path) -> PastRun:
    """Read a run folder, of metrics.jsonl only the end.

    Raise NotFoundError where there is none, and IntegrityError when its run.json is not one.
    """
    path = folder / "run.json"
    if not path.is_file():
        raise NotFoundError(f"no run in {folder}; `zoo runs ls FOLDER` lists those below a folder")
    with open(path, "rb") as file:
        resolved = parse_json(file.read(MAX_BYTES + 1), str(path))
    try:
        msgspec.convert(resolved, Resolved)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{path} is not the record of a run: {error}; get a fresh copy") from None
    finished = (folder / "weights" / "config.json").is_file()
    lines, unreadable = _parse(_tail(folder / "metrics.jsonl"))
    steps = [line["step"] for line in lines if "step" in line]
    scored = [line for line in lines if line.get("event") in ("test", "validation")]
    last: dict[str, Any] = scored[-1] if scored else {}
    return PastRun(
        folder=folder,
        resolved=resolved,
        started=datetime.fromtimestamp(path.stat().st_mtime),
        finished=finished,
        step=max(steps, default=0),
        scores=scores_of(last),
        measured=last.get("event"),
        unreadable=unreadable,
    )


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return every line of metrics.jsonl that can be read: a kill may have cut off the last one."""
    path = folder / "metrics.jsonl"
    if not path.is_file():
        return []
    if (size := path.stat().st_size) > _MAX_METRICS_BYTES:
        raise IntegrityError(f"{path} has {size:,} bytes, more than the {_MAX_METRICS_BYTES:,} allowed; cut it")
    return _parse(path.read_bytes())[0]


def scores_of(line: dict[str, Any]) -> dict[str, float]:
    """Return the scores on a line of metrics.jsonl, without what says where it belongs."""
    return {
        name: float(value)
        for name, value in line.items()
        if name not in ("step", "epoch") and (isinstance(value, float) or _is_count(value))
    }


def differences(runs: list[PastRun]) -> dict[str, list[Any]]:
    """Return what differs between the runs, by dotted name, a value for each; None where a run has no such value."""
    flat = [dict(_flatten({key: value for key, value in run.resolved.items() if key != "command"})) for run in runs]
    names = dict.fromkeys(name for values in flat for name in values)
    rows = {name: [values.get(name) for values in flat] for name in names}
    return {name: row for name, row in rows.items() if any(value != row[0] for value in row)}


def _flatten(values: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def _tail(path: Path) -> bytes:
    """Return the last whole lines of a file, all of a short one."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            content = file.read(_TAIL_BYTES)
    except FileNotFoundError:
        return b""
    return content if size <= _TAIL_BYTES else content.partition(b"\n")[2]


def _parse(content: bytes) -> tuple[list[dict[str, Any]], int]:
    """Return the lines that are figures, and how many are not; an unended last line is a write that was cut off."""
    *whole, _ = content.split(b"\n")
    lines = []
    for line in whole:
        try:
            values = parse_json(line, "metrics.jsonl")
        except IntegrityError:
            continue
        if isinstance(values.get("event"), str) and _is_count(values.get("step", 0)):
            lines.append(values)
    return lines, len(whole) - len(lines)


def _is_count(value: Any) -> bool:
    """Tell whether a value is an integer that a float can hold, which JSON's need not be."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_NUMBER
