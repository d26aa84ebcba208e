"""What may be replaced by weights that are written: other weights, and nothing that somebody keeps."""

import os
from pathlib import Path

from zoo.errors import UsageError


def check_out(out: Path, *, force: bool, how: str = "--force") -> None:
    """Raise UsageError where something lies at `out`, unless it is to be replaced and is weights, a file, or empty."""
    if not os.path.lexists(out):
        return
    ours = not out.is_dir() or _is_weights(out) or not any(out.iterdir())
    if not ours:
        raise UsageError(f"{out} holds other things than weights, which are never replaced; choose another folder")
    if not force:
        raise UsageError(f"{out} exists; choose another one, or replace it with {how}")


def _is_weights(folder: Path) -> bool:
    names = os.listdir(folder)
    return "run.json" not in names and any(name == "config.json" or name.endswith(".safetensors") for name in names)
