"""Threads for what takes long: few, none of a user's own takes them all, and each piece of work can be told to stop."""

import asyncio
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from zoo.hub.server.http import HttpError

_THREADS = 4
_THREADS_A_USER = 2
_WAITING_A_USER = 32
_SECONDS = 60
_PACE = 4 * 1024 * 1024  # bytes a second that the slowest disk is trusted with


class Watch:
    """When a piece of work must stop: at its deadline, or with the server."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._deadline = time.monotonic() + _SECONDS

    def allow(self, size: int) -> None:
        """Give the time that so many bytes take."""
        self._deadline += size / _PACE

    def check(self) -> None:
        """Raise HttpError 503 when it is time to stop."""
        if self._stopping.is_set():
            raise HttpError(503, "This Hub is stopping; try again later")
        if time.monotonic() > self._deadline:
            raise HttpError(503, "This took too long, and was given up; try again")


class Work:
    """The long work of all users."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, "zoo-hub-work")
        self._stopping = threading.Event()
        self._turns: defaultdict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_THREADS_A_USER))
        self._asked: Counter[int] = Counter()

    def start(self, user: int, job: Callable[[Watch], None]) -> "asyncio.Task[None]":
        """Do a user's job when a thread is free. Raise HttpError 429 where too many wait already."""
        if self._asked[user] >= _WAITING_A_USER:
            message = "Too many uploads of this user are being put together; try again in a moment"
            raise HttpError(429, message, headers={"Retry-After": "5"})
        self._asked[user] += 1
        task = asyncio.ensure_future(self._do(user, job))
        task.add_done_callback(lambda _: self._asked.subtract([user]))
        return task

    async def _do(self, user: int, job: Callable[[Watch], None]) -> None:
        async with self._turns[user]:
            await asyncio.get_running_loop().run_in_executor(self._pool, lambda: job(Watch(self._stopping)))

    def close(self) -> None:
        """Stop what is being done, and wait until it has stopped."""
        self._stopping.set()
        self._pool.shutdown(cancel_futures=True)
