"""How a run is kept and shown."""

from dataclasses import dataclass
from pathlib import Path

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
    stall_seconds: float = 600
    track: tuple[str, ...] = ()
    progress: bool = False
