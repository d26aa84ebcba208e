"""How slowly bytes may move, in either direction, before their connection is given up."""

import fcntl
import sys
import termios
import time

LOOKS = 4  # within the idle time, at what a client has not taken
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


class Outflow:
    """Bytes on their way to a client, of which only how many are left can be seen."""

    def __init__(self, idle_seconds: float, left: int) -> None:
        self._pace = Pace(idle_seconds)
        self._left = left
        self._late_at = time.monotonic() + idle_seconds

    def stalled(self, left: int) -> bool:
        """Tell whether the client takes too little, looked at now and then."""
        if left < self._left:
            self._pace.add(self._left - left)
            self._late_at = time.monotonic() + self._pace.seconds()
        self._left = left
        return time.monotonic() >= self._late_at


def queued(socket: int) -> int:
    """Return how many bytes the kernel holds that the client has not acknowledged; 0 where it does not tell.

    With megabytes there, a socket takes no more for minutes although its client reads all the time.
    """
    try:
        return int.from_bytes(fcntl.ioctl(socket, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        return 0
