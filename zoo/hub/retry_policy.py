"""How long a Hub is waited for, how often it is asked again, and when that is pointless."""

import email.utils
import os
import random
import time
from dataclasses import dataclass
from typing import Any

from zoo.errors import NetworkError, UsageError

_LIBRARIES = ("httpx", "httpx2", "httpcore", "httpcore2")


class Faulty(ConnectionError):
    """The answer was not what was asked for; another one may be."""


@dataclass(frozen=True)
class RetryPolicy:
    """How much is put up with.

    A transfer is given up after `stall` seconds that bring less than `slowest` bytes a second. A request is made
    `attempts` times, or twice where nobody answers, with pauses from `pause` seconds on that double and vary; a longer
    one than `longest_pause` is not waited for, whoever asks for it. `worthwhile` bytes make the count start again.
    """

    stall: float = 30.0
    slowest: int = 1024
    attempts: int = 5
    pause: float = 1.0
    longest_pause: float = 60.0
    worthwhile: int = 256 * 1024

    def before_next(self, error: Exception, failures: int) -> float:
        """Return for how long to wait before asking again. Raise the error where that is pointless by now."""
        silent = "Timeout" in type(error).__name__ or type(error).__name__ == "ConnectError"  # of any HTTP library
        if failures >= (min(2, self.attempts) if silent else self.attempts) or not _may_pass(error):
            raise error
        response: Any = getattr(error, "response", None)
        requested = None if response is None else _retry_after(response.headers.get("retry-after"))
        if requested is not None and requested > self.longest_pause:
            raise NetworkError(
                f"{response.request.url.host} asks to wait {requested:,.0f} s, which is too long; try again later"
            )
        # the jitter only keeps many clients from asking in step; nothing that is computed depends on it
        own = min(self.pause * 2.0 ** (failures - 1), self.longest_pause) * random.uniform(0.5, 1.0)
        return max(own, requested or 0.0)


def default_retry_policy() -> RetryPolicy:
    """Return the usual patience; `$ZOO_HUB_TIMEOUT` gives other seconds until a stalled transfer is given up."""
    text = os.environ.get("ZOO_HUB_TIMEOUT")
    if text is None:
        return RetryPolicy()
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise UsageError(f"ZOO_HUB_TIMEOUT={text!r} is not a number of seconds; for example 30")
    return RetryPolicy(stall=seconds)


class SpeedWatch:
    """Watch a transfer's speed, and give it up when it all but stands still."""

    def __init__(self, policy: RetryPolicy, what: str) -> None:
        self._patience = policy
        self._what = what
        self._since = time.monotonic()
        self._bytes = 0

    def add(self, count: int) -> None:
        """Note bytes that came. Raise Faulty when too few have for too long."""
        self._bytes += count
        passed = time.monotonic() - self._since
        if passed >= self._patience.stall:
            if self._bytes < self._patience.slowest * passed:
                raise NetworkError(
                    f"{self._what} brought {self._bytes:,} bytes in {passed:.1f} s, which is too slow; "
                    "check the network, then try again: received data is kept"
                )
            self._since, self._bytes = time.monotonic(), 0


def _may_pass(error: Exception) -> bool:
    """Tell whether asking again may help: the connection broke, or the server had a bad moment."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return status in (408, 425, 429) or status >= 500
    return isinstance(error, ConnectionError) or type(error).__module__.partition(".")[0] in _LIBRARIES


def _retry_after(value: Any) -> float | None:
    """Return the seconds that a Retry-After header asks for, given as seconds or as a date."""
    if not value:
        return None
    text = str(value).strip()
    if text.isdigit():
        return float(text[:12])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
