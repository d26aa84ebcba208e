"""Keep what is only said of a training, its scores and pictures, from costing what was learnt."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from zoo.engine.distribution import Distribution, peer_lost

_log = logging.getLogger("zoo")


@dataclass
class Guard:
    """Tells, after its block, whether the block failed on any process."""

    failed: bool = False


@contextmanager
def guarded(what: str, distribution: Distribution) -> Iterator[Guard]:
    """Say a failure of the block as a warning, on all processes alike.

    Under FSDP2 it is raised: the others wait for a part of what this process was to compute.
    """
    guard = Guard()
    try:
        yield guard
    except Exception as error:
        if peer_lost(error) or distribution.sharding == "fsdp":
            raise
        guard.failed = True
        if distribution.main:
            reason = " ".join(str(error).split())
            _log.warning("%s failed: %s: %s; what was learnt is kept", what, type(error).__name__, reason)
    guard.failed = distribution.any(guard.failed)
