"""What one request may compute: until when, and in which threads.

Threads cannot be ended from outside, so work asks: loops call `check`, SQLite asks `is_over` while a statement runs,
and whoever waits for a thread goes on without it when the time is over.
"""

import asyncio
import contextvars
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from zoo.hub.server.http import HttpError, Receive
from zoo.hub.server.lane import RETRY, RETRY_SECONDS, Lane
from zoo.hub.server.precedence import Patience, Precedence

T = TypeVar("T")

_SLOWEST = 4 * 1024 * 1024  # bytes a second that any disk takes, hashed and flushed
_SMALLEST = 64 * 1024  # what a file counts at least: it is flushed by itself
_SHORT_THREADS, _READ_THREADS, _WRITE_THREADS, _HEAVY_THREADS = 12, 2, 4, 4
_WAITING = 64
_OFTEN = 256
_HEAVY_A_USER, _WAITING_A_USER = 2, 30


class Lanes:
    """A server's threads. What is heavy, or waits for the database's one writer, keeps nothing else waiting.

    Few read, because every one that computes keeps the event loop from the interpreter's lock.
    """

    def __init__(self) -> None:
        self.short = Lane(_SHORT_THREADS, name="zoo-short")
        self.reads = Lane(_READ_THREADS, name="zoo-read")
        self.writes = Lane(_WRITE_THREADS, _WAITING, "zoo-write")
        self.heavy = Lane(_HEAVY_THREADS, _WAITING, "zoo-heavy")
        self.precedence = Precedence()
        self._all = (self.short, self.reads, self.writes, self.heavy)
        self._shares: WeakValueDictionary[int, Share] = WeakValueDictionary()

    def share(self, user: int) -> "Share":
        """Return what a user has of the heavy lane; used from the event loop alone."""
        return self._shares.setdefault(user, Share())

    def finish(self, seconds: float) -> bool:
        """Wait for all jobs; tell whether they ended in time."""
        end = time.monotonic() + seconds
        return all([lane.finish(max(0.0, end - time.monotonic())) for lane in self._all])

    def close(self) -> None:
        """End the threads, once each is done with what it does."""
        for lane in self._all:
            lane.shutdown()


class Share:
    """What one user has of the heavy lane, which is never all of it. What waits for its turn holds no thread."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(_HEAVY_A_USER)
        self._jobs = 0

    def take(self) -> None:
        """Count one more job. Raise HttpError 429 where too many of the user's wait already."""
        if self._jobs >= _HEAVY_A_USER + _WAITING_A_USER:
            message = "Too many uploads of this user are being put together; try again in a moment"
            raise HttpError(429, message, headers={"Retry-After": str(RETRY_SECONDS)})
        self._jobs += 1

    def done(self, _: object) -> None:
        """Count one job less."""
        self._jobs -= 1


class Work:
    """One request's work. Time in which it waits for its client or its turn does not count; what is sent adds to it."""

    def __init__(self, name: str, seconds: float, lanes: Lanes) -> None:
        self.name = name
        self.lanes = lanes
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._waits_since: float | None = None
        self._stopped = False
        self._patience = Patience()

    @property
    def left(self) -> float:
        """Return for how many seconds it may go on."""
        if self._stopped:
            return 0.0
        now = self._waits_since if self._waits_since is not None else time.monotonic()
        return max(0.0, self._end - now)

    @property
    def over(self) -> bool:
        """Tell whether it is to end now."""
        return self._stopped or (self._waits_since is None and self._end <= time.monotonic())

    def stop(self) -> None:
        """Tell it to end, at its next look."""
        self._stopped = True

    def allow(self, size: int) -> None:
        """Give it the time that so many bytes take."""
        self._end += max(size, _SMALLEST) / _SLOWEST

    def give_way(self) -> None:
        """Let the event loop go first where it has something to do."""
        self._patience.give_way(self.lanes.precedence)

    def late(self) -> HttpError:
        """Return the answer to a request that is not done in time."""
        if self._stopped:
            return HttpError(503, "This Hub is being stopped; send the request again", headers=RETRY)
        message = f"This request takes the Hub longer than {self._seconds:g} s; send less at once, or try again later"
        return HttpError(503, message, headers=RETRY)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Do not count the time that the block takes."""
        self._waits_since = start = time.monotonic()
        try:
            yield
        finally:
            self._end += time.monotonic() - start
            self._waits_since = None

    def timed(self, receive: Receive) -> Receive:
        """Return a function that receives, and does not count the time."""

        async def timed_receive() -> dict[str, Any]:
            with self.waiting():
                message = await receive()
            self._end += len(message.get("body", b"")) / _SLOWEST
            return message

        return timed_receive


current: contextvars.ContextVar[Work | None] = contextvars.ContextVar("work", default=None)
"""The work of the request that this task or thread works for; None outside of a server."""


@contextmanager
def unhurried() -> Iterator[None]:
    """Do not count the time that the block takes of the request that this is done for."""
    work = current.get()
    with work.waiting() if work else nullcontext():
        yield


def is_over() -> bool:
    """Tell whether the request that this is done for is to end."""
    work = current.get()
    return work is not None and work.over


def check() -> None:
    """Let the event loop go first; raise HttpError 503 when the request that this is done for is to end."""
    work = current.get()
    if work is None:
        return
    work.give_way()
    if work.over:
        raise work.late()


def checked(values: Iterable[T]) -> Iterator[T]:
    """Yield values, and check before the first and every few hundred."""
    for number, value in enumerate(values):
        if not number % _OFTEN:
            check()
        yield value


def allow(size: int) -> None:
    """Give the request the time that so many bytes take, which it has to read or write."""
    work = current.get()
    if work is not None:
        work.allow(size)


def seconds_left() -> float:
    """Return for how long the request may wait for something; -1 is as long as it takes."""
    work = current.get()
    return -1 if work is None else work.left


async def run_read(function: Callable[..., T], *arguments: Any) -> T:
    """Do what reads and computes for more than a moment in a thread of those for it."""
    work = current.get()
    return await _run(work.lanes.reads if work else None, function, *arguments)


async def run_write(function: Callable[..., T], *arguments: Any) -> T:
    """Do what waits for the database's one writer, and is short, in a thread of those for it."""
    work = current.get()
    return await _run(work.lanes.writes if work else None, function, *arguments)


async def run_heavy(function: Callable[..., T], *arguments: Any) -> T:
    """Do what may take seconds in a thread of those for it; HttpError 503 when too many requests wait for one."""
    work = current.get()
    return await _run(work.lanes.heavy if work else None, function, *arguments)


async def run_in_turn(user: int, function: Callable[..., T], *arguments: Any) -> T:
    """Do a user's work in a thread of those that read, in its turn with the user's heavy work."""
    work = _current()
    async with _turn(work, work.lanes.share(user)):
        return await run_read(function, *arguments)


def start(user: int, function: Callable[..., T], *arguments: Any) -> "asyncio.Task[T]":
    """Do a user's heavy work when it is its turn. Raise HttpError 429 where too much of theirs waits already."""
    work = _current()
    share = work.lanes.share(user)
    share.take()
    task = asyncio.ensure_future(_in_turn(work, share, function, *arguments))
    task.add_done_callback(share.done)
    return task


async def _in_turn(work: Work, share: Share, function: Callable[..., T], *arguments: Any) -> T:
    async with _turn(work, share):
        return await run_heavy(function, *arguments)


@asynccontextmanager
async def _turn(work: Work, share: Share) -> AsyncIterator[None]:
    with work.waiting():
        await share.turns.acquire()
    try:
        yield
    finally:
        share.turns.release()


def _current() -> Work:
    work = current.get()
    assert work is not None, "a request asks for it"
    return work


async def _run(lane: Lane | None, function: Callable[..., T], *arguments: Any) -> T:
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(lane, context.run, _begin, function, *arguments)


def _begin(function: Callable[..., T], *arguments: Any) -> T:
    check()  # it may have waited for too long
    return function(*arguments)
