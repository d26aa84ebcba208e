"""The event loop goes first: threads that compute wait, where they look at their work, while it has something to do.

All share the interpreter's lock. The loop asks for it a dozen times a request, and each time a thread that computes
keeps it until the interpreter takes it away: with a few such threads an answer consists of little else.
"""

import asyncio
import selectors
import threading
import time
from typing import Any

_SHARE = 3.0
"""Where the loop never rests, work waits so many times as long as it goes on."""
_LONGEST = 0.02  # seconds at once


class Precedence:
    """Whether an event loop rests, that is, waits for something to happen; without one it always does."""

    def __init__(self) -> None:
        self._rests = threading.Event()
        self._rests.set()
        self._thread: int | None = None

    def new_loop(self) -> asyncio.SelectorEventLoop:
        """Return an event loop, for this thread, that goes before the others."""
        self._thread = threading.get_ident()
        return asyncio.SelectorEventLoop(_Selector(self._rests))

    def wait(self, seconds: float) -> None:
        """Return when the loop rests, or after so many seconds; at once in its own thread."""
        if self._thread != threading.get_ident():
            self._rests.wait(seconds)

    @property
    def rests(self) -> bool:
        """Tell whether nobody has to wait."""
        return self._rests.is_set()


class Patience:
    """How long a piece of work may be made to wait: in proportion to what it has done."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._left = 0.0

    def give_way(self, precedence: Precedence) -> None:
        """Let the loop go first."""
        if precedence.rests:
            return
        now = time.monotonic()
        self._left = min(_LONGEST, self._left + _SHARE * (now - self._since))
        precedence.wait(self._left)
        self._since = time.monotonic()
        self._left = max(0.0, self._left - (self._since - now))


class _Selector(selectors.DefaultSelector):
    """Tell when its loop waits."""

    def __init__(self, rests: threading.Event) -> None:
        super().__init__()
        self._rests = rests

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        if timeout is None or timeout > 0:
            self._rests.set()
        try:
            return super().select(timeout)
        finally:
            self._rests.clear()

    def close(self) -> None:
        self._rests.set()
        super().close()
