"""Threads for one kind of work, whose queue has an end."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from zoo.hub.server.http import HttpError
from zoo.hub.workers import Workers

T = TypeVar("T")

RETRY_SECONDS = 10
RETRY = {"Retry-After": str(RETRY_SECONDS), "Connection": "close"}


def busy() -> HttpError:
    """Return the answer to a request for which there is no room now."""
    return HttpError(503, f"This Hub is busy; try again in {RETRY_SECONDS} s", headers=RETRY)


class Lane(ThreadPoolExecutor):
    """Threads for one kind of work, and a queue that is not endless. Nobody has to wait for one that hangs.

    asyncio takes no other type than its base's, whose own threads keep a process from ending; none are started.
    """

    def __init__(self, threads: int, waiting: int | None = None, name: str = "zoo-work") -> None:
        super().__init__(1)
        self._workers = Workers(threads, name)
        self._workers.__enter__()
        self._limit = None if waiting is None else threads + waiting
        self._jobs = 0
        self._change = threading.Condition()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        """Have a job done. Raise HttpError 503 when too many wait already."""
        with self._change:
            if self._limit is not None and self._jobs >= self._limit:
                raise busy()
            self._jobs += 1
        future = self._workers.submit(partial(fn, *args, **kwargs))
        future.add_done_callback(self._done)
        return future

    def _done(self, _: "Future[Any]") -> None:
        with self._change:
            self._jobs -= 1
            self._change.notify_all()

    def finish(self, seconds: float) -> bool:
        """Wait for the jobs; tell whether all of them ended in time."""
        with self._change:
            return self._change.wait_for(lambda: self._jobs == 0, seconds)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more jobs; those that hang are left behind."""
        self._workers.close()
