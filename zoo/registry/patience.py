"""Wait for plugins, but not for ever: name the one that keeps a command waiting, and end a hook that has no end."""

import logging
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

_INTERVAL = 1.0
_log = logging.getLogger("zoo")


class OverdueError(BaseException):
    """A hook took too long. No plugin that catches every Exception catches this."""


class Patience:
    """Watches, from a thread, what plugins do with the thread that loads them.

    After `told_after` seconds a line names the plugin and how to go on without it. What is `limited` is interrupted
    when its time is over, by a signal that reaches a sleep, too; where there can be none (another thread than the main
    one, a host that has its own use for it) the line is all that is done.
    """

    def __init__(self, told_after: float, plugins: Sequence[str]) -> None:
        self._told_after = told_after
        self._plugins = plugins
        self._loader = threading.get_ident()
        self._doing: tuple[str, float] | None = None
        self._latest: float | None = None
        self._interrupts = False
        self._stop = threading.Event()

    @contextmanager
    def watching(self) -> Iterator["Patience"]:
        """Watch for the length of the block."""
        main = threading.current_thread() is threading.main_thread()
        self._interrupts = main and hasattr(signal, "SIGALRM") and signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
        if self._interrupts:
            signal.signal(signal.SIGALRM, self._interrupt)
        thread = threading.Thread(target=self._watch, name="zoo-plugins", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()
            if self._interrupts:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)

    @contextmanager
    def waiting(self, plugin: str) -> Iterator[None]:
        """Say whom everything waits for in the block."""
        self._doing = (plugin, time.monotonic())
        try:
            yield
        finally:
            self._doing = None

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Raise RuntimeError in the block when it takes longer."""
        try:
            self._latest = time.monotonic() + seconds
            yield
        except OverdueError:
            raise RuntimeError(f"takes more than {seconds:g} s") from None
        finally:
            self._latest = None

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        if self._latest is not None and time.monotonic() > self._latest:
            raise OverdueError

    def _watch(self) -> None:
        told = None
        while not self._stop.wait(min(_INTERVAL, self._told_after)):
            doing, latest, now = self._doing, self._latest, time.monotonic()
            if doing is not None and doing is not told and now > doing[1] + self._told_after:
                told = doing
                self._tell(doing[0])
            if self._interrupts and latest is not None and now > latest:
                signal.pthread_kill(self._loader, signal.SIGALRM)

    def _tell(self, plugin: str) -> None:
        frame: Any = sys._current_frames().get(self._loader)
        where = f", at {os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}" if frame is not None else ""
        rest = ",".join(name for name in self._plugins if name != plugin)
        _log.warning(
            "plugin %s keeps this command waiting%s; to go on without it: Ctrl-C, then export ZOO_LOAD_PLUGINS=%s",
            plugin,
            where,
            shlex.quote(rest),
        )
