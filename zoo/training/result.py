"""What a run has made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Compared:
    """What a method came to on the test split, beside others on the same samples."""

    name: str
    scores: Mapping[str, float]


@dataclass(frozen=True)
class RunResult:
    """What a run has made: its folder, the exported weights in it, scores on the test split, pictures, seconds.

    `baselines` are what it was asked to be compared with; `best` is the name of what the task's score is best of.
    """

    folder: Path
    weights: Path
    scores: dict[str, float]
    pictures: tuple[Path, ...]
    seconds: float
    baselines: tuple[Compared, ...] = ()
    best: str | None = None
