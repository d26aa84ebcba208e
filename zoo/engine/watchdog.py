"""A watchdog for runs that hang: it names the process that stands still, and where."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.engine.distribution import Distribution
from zoo.errors import TrainingError

_log = logging.getLogger("zoo")


class Watchdog:
    """Watch from a thread that steps go on; when none has for `seconds`, say which process hangs, and end.

    While a process waits for the others its main thread is inside of torch: in a backward pass or a collective. The one
    that they wait for is somewhere else, or does not answer at all.
    """

    def __init__(self, distribution: Distribution, seconds: float) -> None:
        self.distribution = distribution
        self.seconds = seconds
        self._interval = min(5.0, seconds / 4)
        self._step = -1
        self._count = 0
        self._moved = time.monotonic()
        self._paused = 0
        self._main = threading.main_thread().ident
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

    def step_started(self, step: int) -> None:
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
        while not self._stop.wait(self._interval):
            self._publish()
            if not self._paused and time.monotonic() - self._moved > self.seconds:
                if (message := self.diagnosis()) is not None:
                    _log.error("%s", message)
                    os._exit(TrainingError.exit_code)

    def diagnosis(self) -> str | None:
        """Return which process hangs where; None while another one is to say it, or steps have gone on after all."""
        step, since = self._step, f"no step for {self.seconds:.0f} s after step {self._step}"
        if self.distribution.alone:
            return f"{since}: it hangs in {_place(self._main)[0]}; continue with --resume"
        before = self._read_all()
        time.sleep(3 * self._interval)  # those that live publish meanwhile
        self._publish()
        now = self._read_all()
        if self._step != step:
            return None
        silent = [rank for rank, told in now.items() if told == before[rank] and rank != self.distribution.rank]
        if any(rank < self.distribution.rank for rank in now if rank not in silent):
            return None  # the first one that lives speaks
        hanging = [f"rank {rank} does not answer" for rank in silent]
        hanging += [
            f"rank {rank} hangs in {told['place']} at step {told['step']}"
            for rank, told in now.items()
            if rank not in silent and not told.get("waiting")
        ]
        return f"{since}: {'; '.join(hanging) or 'all processes wait for each other'}; continue with --resume"

    def _publish(self) -> None:
        if (store := self.distribution.store) is not None:
            self._count += 1
            place, waiting = _place(self._main)
            told = {"step": self._step, "place": place, "waiting": waiting, "count": self._count}
            store.set(f"process/{self.distribution.rank}", json.dumps(told))

    def _read_all(self) -> dict[int, dict[str, Any]]:
        store: Any = self.distribution.store
        names = {rank: f"process/{rank}" for rank in range(self.distribution.world_size)}
        return {rank: json.loads(store.get(name)) if store.check([name]) else {} for rank, name in names.items()}


def _place(thread: int | None) -> tuple[str, bool]:
    """Return where a thread is, and whether that is torch waiting for other processes."""
    frame = sys._current_frames().get(thread or 0)
    if frame is None:
        return "an unknown place", False
    path = Path(frame.f_code.co_filename)
    waiting = "torch" in path.parts and not {"autograd", "distributed"}.isdisjoint(path.parts)
    return f"{'/'.join(path.parts[-2:])}:{frame.f_lineno} {frame.f_code.co_name}", waiting
