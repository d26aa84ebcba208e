"""Ctrl-C and SIGTERM: the first lets the step end and a checkpoint be written, the second leaves at once."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop, and has saved a checkpoint. `signum` says by which signal."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class Interruption:
    """The signal that has come, if any."""

    def __init__(self) -> None:
        self.signum: int | None = None

    def note(self, signum: int, frame: FrameType | None) -> None:
        """Handle a signal. torchrun passes a Ctrl-C on as SIGTERM: only the same signal again is somebody's second."""
        if self.signum == signum:
            os._exit(128 + signum)
        self.signum = self.signum or signum


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Note signals in the main thread for the length of the block; other threads never get any."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = {number: signal.signal(number, interruption.note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
