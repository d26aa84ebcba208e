"""How slowly bytes may move, in either direction, before their connection is given up."""

import time

_SLOWEST = 1024  # bytes a second that must move in the long run


class Pace:
    """The patience with one transfer: never idle for too long, and not below a rate in the long run."""

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._start = time.monotonic()
        self._total = 0

    def add(self, count: int) -> None:
        """Note bytes that moved."""
        self._total += count

    def seconds(self) -> float:
        """Return how long the next bytes may take."""
        late = self._start + self._idle_seconds + self._total / _SLOWEST - time.monotonic()
        return min(self._idle_seconds, late)
