"""How a run is kept and shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.engine.distribution import Sharding


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run is kept and shown; nothing here changes what is learnt."""

    out: Path
    device: str | None = None
    sharding: Sharding = "ddp"
    resume: bool = False
    force: bool = False
    override: bool = False
    keep: int = 2
    stall_seconds: float = 600.0
    track: tuple[str, ...] = ()
    progress: bool = False
