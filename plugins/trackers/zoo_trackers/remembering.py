"""Which run of a tracker's a run folder belongs to, so that one that is resumed goes on where it began."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import zoo

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def known_run(folder: Path, tracker: str, step: int) -> str | None:
    """Return the tracker's name for a run that goes on from a step; None for a new one."""
    path = folder / f"{tracker}.run"
    if not step or not path.is_file():
        return None
    found = path.read_text(encoding="utf-8").strip()
    return found if _ID.fullmatch(found) else None


def remember_run(folder: Path, tracker: str, name: str) -> None:
    """Keep the tracker's name for a run."""
    (folder / f"{tracker}.run").write_text(f"{name}\n", encoding="utf-8")


def library(name: str) -> Any:
    """Import a tracker's library. Raise UsageError where it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise zoo.UsageError(f"--track {name} needs {name}: pip install 'zoo-trackers[{name}]'") from None


def flat(values: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested settings by names with dots."""
    if not isinstance(values, dict):
        return {prefix: values}
    parts = [flat(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in values.items()]
    return {name: value for part in parts for name, value in part.items()}
