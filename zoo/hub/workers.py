"""Threads that fetch. Unlike those of concurrent.futures, nobody has to wait for one that hangs in a read."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class Workers:
    """So many threads for the length of a `with` block."""

    def __init__(self, count: int, name: str = "zoo-fetch") -> None:
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for _ in range(count)]

    def __enter__(self) -> "Workers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if kind is None:
            for thread in self._threads:
                thread.join()

    def close(self) -> None:
        """Let each thread end once the jobs before are done."""
        for _ in self._threads:
            self._jobs.put(None)

    def submit(self, job: Callable[[], T]) -> "Future[T]":
        """Have a job done; jobs begin in the order they came."""
        future: Future[T] = Future()
        self._jobs.put((future, job))
        return future

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            future, job = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(job())
            except BaseException as error:  # whoever waits for the result gets it
                future.set_exception(error)
