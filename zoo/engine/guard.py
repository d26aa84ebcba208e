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

    Under FSDP2 it is raised where this process alone fails while the others wait for a part of what it was to compute.
    """
    guard = Guard()
    failure: Exception | None = None
    try:
        yield guard
    except Exception as error:
        if peer_lost(error):
            raise
        failure = error
    if distribution.sharding != "fsdp":
        guard.failed = distribution.any(failure is not None)
    elif (found := distribution.any_by_store(failure is not None)) is not None:
        guard.failed = found
        if found:
            distribution.abandon_forward()
    else:
        assert failure is not None
        raise failure
    if guard.failed and distribution.main:
        reason = f": {type(failure).__name__}: {failure}" if failure is not None else " on another process"
        _log.warning("%s failed%s; what was learnt is kept", what, reason.replace("\n", " "))
