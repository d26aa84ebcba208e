"""All files on their way from upstream: of each one transfer, however many ask for it."""

import asyncio
import contextvars
import time
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from zoo.hub.server import work
from zoo.hub.server.http import BrokenOff, HttpError, Response
from zoo.hub.server.lane import Lane
from zoo.hub.server.options import Limits
from zoo.hub.server.repos import Repo
from zoo.hub.server.store import ServedStore
from zoo.hub.server.trees import Entry
from zoo.hub.server.upstream_copies import Copies
from zoo.hub.server.upstream_source import Place, Source
from zoo.hub.server.upstream_transfer import Transfer, describe

MISSING_SECONDS = 60.0
"""How long it is remembered that upstream does not have something."""
RETRY = {"Retry-After": "5"}
_THREADS, _WAITING = 8, 256
_FIRST_SECONDS = 8.0  # clients wait 10 s for an answer to begin
_MOST_REMEMBERED = 10_000
_USED_SECONDS = 5.0


class Transfers:
    """The files that come. Everything here belongs to the event loop."""

    def __init__(
        self, store: ServedStore, source: Source, copies: Copies, limits: Limits, max_bytes: int | None
    ) -> None:
        self.lane = Lane(_THREADS, _WAITING, "zoo-transfer")
        self._store = store
        self._source = source
        self._copies = copies
        self._limits = limits
        self._max_bytes = max_bytes
        self._transfers: dict[str, Transfer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: dict[str, tuple[float, HttpError]] = {}
        self._used: dict[str, float] = {}
        self._written = time.monotonic()

    def close(self) -> None:
        """End the threads, and write down what is only in memory."""
        self.lane.shutdown()
        self._copies.used(self._used)

    async def have(self, repo: Repo, commit: str, path: str, entry: Entry) -> None:
        """Fetch a file where it is not here. Raise HttpError where that cannot be, for one that may be somebody's."""
        try:
            self._store.blobs.open_fetched(entry.sha256).close()
        except OSError:
            try:
                fetched = await self.fetch(repo, commit, path, entry, (0, entry.size))
                assert fetched.file is not None and fetched.ready is not None, "it is a file"
                with fetched.file[0], waiting():
                    await asyncio.wait_for(fetched.ready(entry.size - 1), _FIRST_SECONDS)
            except (HttpError, TimeoutError, BrokenOff) as error:
                if entry.lfs:
                    raise HttpError(502, f"{path} is not here yet, and did not come: {error}") from None

    async def fetch(self, repo: Repo, commit: str, path: str, entry: Entry, span: tuple[int, int]) -> Response:
        """Return a part of a file that is not here, as an answer without its headers, once there is some of it to send.

        Raise HttpError 503 where that takes longer than clients wait: asked again, they find more of it.
        """
        start, end = span
        place = Place(repo.type, repo.name, commit, path)
        transfer = self._transfers.get(entry.etag) or self._begin(repo, place, entry)
        whole = end < entry.size
        opened = transfer.open()
        try:
            with waiting():
                await asyncio.wait_for(transfer.ready(start, whole), _FIRST_SECONDS)
        except TimeoutError:
            opened.close()
            message = "The file is on its way from upstream; ask again in a moment"
            raise HttpError(503, message, headers=RETRY) from None
        except BrokenOff:
            opened.close()
            raise describe(transfer.error) from None
        return Response(file=(opened, start, end), ready=partial(transfer.ready, whole=whole))

    def _begin(self, repo: Repo, place: Place, entry: Entry) -> Transfer:
        if (known := self._failed.get(entry.etag)) is not None and time.monotonic() < known[0]:
            raise again(known[1])
        if entry.size > self._limits.max_file:
            raise HttpError(413, f"A file may have {self._limits.max_file:,} bytes here")
        self._store.blobs.check_space(entry.size, self._limits.reserve)
        transfer = self._transfers[entry.etag] = Transfer(self._source, self._store.blobs, place, entry)
        context = contextvars.Context()
        task = asyncio.get_running_loop().create_task(self._transfer(repo, entry, transfer), context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return transfer

    async def _transfer(self, repo: Repo, entry: Entry, transfer: Transfer) -> None:
        error: Exception | None = BrokenOff()  # until it is known to be whole
        loop = asyncio.get_running_loop()
        try:
            if self._max_bytes is not None:
                await loop.run_in_executor(self.lane, self._copies.make_room, entry.size, self._max_bytes)
            keep = partial(self._copies.keep, repo, "" if entry.lfs else entry.oid)
            await loop.run_in_executor(self.lane, transfer.run, keep)
            error = None
        except Exception as raised:  # told to everybody who waits for the file
            error = raised
            if isinstance(raised, HttpError):
                remember(self._failed, entry.etag, (time.monotonic() + MISSING_SECONDS, raised))
        finally:
            del self._transfers[entry.etag]
            transfer.finish(error)
            transfer.close()

    def use(self, entry: Entry) -> None:
        """Note that a file was asked for."""
        self._used[entry.sha256] = time.time()
        if time.monotonic() - self._written > _USED_SECONDS:
            self._written = time.monotonic()
            used, self._used = self._used, {}
            asyncio.get_running_loop().run_in_executor(self.lane, self._copies.used, used)


def remember(where: dict[Any, Any], key: Any, value: Any) -> None:
    """Remember something for a while, of so many things at most."""
    if len(where) >= _MOST_REMEMBERED:
        where.clear()
    where[key] = value


def waiting() -> AbstractContextManager[None]:
    """Do not count the time that the block waits as the request's."""
    current = work.current.get()
    assert current is not None, "a request asks for it"
    return current.waiting()


def again(error: HttpError) -> HttpError:
    """Return an error like one that was raised before, without its frames."""
    return HttpError(error.status, str(error), headers=error.headers)
