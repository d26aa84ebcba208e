"""What a run has made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunResult:
    """What a run has made: its folder, the exported weights in it, scores on the test split, pictures, seconds."""

    folder: Path
    weights: Path
    scores: dict[str, float]
    pictures: tuple[Path, ...]
    seconds: float
