"""A watchdog for runs that hang: it names the process that stands still."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from zoo.engine.distribution import Distribution
from zoo.errors import TrainingError

_log = logging.getLogger("zoo")


class Watchdog:
    """Watch from a thread that steps go on; when none has for `seconds`, say which process is behind, and end."""

    def __init__(self, distribution: Distribution, seconds: float) -> None:
        self.distribution = distribution
        self.seconds = seconds
        self._step = -1
        self._moved = time.monotonic()
        self._paused = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="zoo-watchdog", daemon=True)

    @contextmanager
    def watching(self) -> Iterator["Watchdog"]:
        """Watch for the length of the block."""
        if self.seconds > 0:
            self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()

    def beat(self, step: int) -> None:
        """Note that a step has begun."""
        self._step = step
        self._moved = time.monotonic()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not watch in the block: evaluating takes as long as it takes."""
        self._paused += 1
        try:
            yield
        finally:
            self._paused -= 1
            self._moved = time.monotonic()

    def _watch(self) -> None:
        while not self._stop.wait(min(5.0, self.seconds / 4)):
            self._publish()
            if not self._paused and time.monotonic() - self._moved > self.seconds:
                _log.error("%s", self.diagnosis())
                os._exit(TrainingError.exit_code)

    def diagnosis(self) -> str:
        """Return which process stands still, as far as can be known."""
        if self.distribution.alone:
            return f"no step for {self.seconds:.0f} s after step {self._step}: data or device hang; go on with --resume"
        steps = {rank: self._read(rank) for rank in range(self.distribution.world_size)}
        furthest = max(steps.values())
        behind = [f"rank {rank} at step {step}" for rank, step in steps.items() if step < furthest]
        who = f"{', '.join(behind)}, while the others wait at step {furthest}" if behind else "all at the same step"
        return f"no step for {self.seconds:.0f} s: {who}; look at that process, then go on with --resume"

    def _publish(self) -> None:
        if (store := self.distribution.store) is not None:
            store.set(f"step/{self.distribution.rank}", str(self._step))

    def _read(self, rank: int) -> int:
        store: Any = self.distribution.store
        return int(store.get(f"step/{rank}")) if store.check([f"step/{rank}"]) else -1
