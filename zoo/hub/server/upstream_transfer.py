"""One file on its way from upstream: written and hashed by a thread, and sent meanwhile to all who wait for it.

Its last block is withheld until the hash is right; where that is wrong the connections break, and nothing is kept.
"""

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from zoo.hub.server.blobs import BlobStore, BlobWriter, NewBlob
from zoo.hub.server.http import BrokenOff, HttpError
from zoo.hub.server.trees import Entry
from zoo.hub.server.upstream_source import Place, Source
from zoo.hub.transport import NoRanges

WITHHELD = 64 * 1024
_TELL_SECONDS = 0.01


class Transfer:
    """A file that comes. All but `run` belongs to the event loop."""

    def __init__(self, source: Source, blobs: BlobStore, place: Place, entry: Entry) -> None:
        self.size = entry.size
        self.error: Exception | None = None
        self.done = False
        self._source = source
        self._place = place
        self._entry = entry
        self._writer = BlobWriter(blobs, entry.size)
        self._reader = open(self._writer.path, "rb", buffering=0)
        self._sha1 = hashlib.sha1(b"blob %d\0" % entry.size, usedforsecurity=False)
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._on_disk = self._received = 0
        self._told = False

    def open(self) -> BinaryIO:
        """Open the file; what is in it may be sent as far as `ready` says."""
        return os.fdopen(os.dup(self._reader.fileno()), "rb", buffering=0)

    def close(self) -> None:
        """Let go of the file, which those who opened it go on reading."""
        self._reader.close()

    def readable(self, whole: bool) -> int:
        """Return how far the file may be sent; a part that does not reach its end waits for the `whole`."""
        if self.done:
            return self.size
        return 0 if whole else min(self._received, self.size - WITHHELD)

    async def ready(self, start: int, whole: bool = False) -> int:
        """Return how far the file may be sent, once that is beyond `start`. Raise BrokenOff where it never will be."""
        while (stop := self.readable(whole)) <= start and not self.done:
            if self.error is not None:
                raise BrokenOff
            changed = self._changed
            await changed.wait()
        return stop

    def finish(self, error: Exception | None) -> None:
        """Say that no more comes."""
        self.error, self.done = error, error is None
        self._wake()

    def _tell(self) -> None:
        self._told = False
        self._received = self._on_disk
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def run(self, keep: Callable[[NewBlob], None]) -> None:
        """Fetch the file and keep it, in a thread of its own. Raise HttpError or Away where that cannot be."""
        try:
            self._receive()
            blob = self._verified()
            try:
                keep(blob)
            finally:
                blob.path.unlink(missing_ok=True)
        except BaseException as error:
            self._writer.discard()
            raise self._source.translated(error) if isinstance(error, Exception) else error from None

    def _verified(self) -> NewBlob:
        right = self._entry.lfs or self._sha1.hexdigest() == self._entry.oid
        blob = self._writer.finish(self._entry.sha256 if self._entry.lfs else None) if right else None
        if blob is None:
            where = f"{self._place.path} of {self._place.repo}"
            raise HttpError(502, f"{where} comes from {self._source.url} with another hash than it lists")
        return blob

    def _receive(self) -> None:
        failures, ranges = 0, True
        while (before := self._writer.size) < self.size:
            try:
                chunks = self._source.chunks(self._place, self.size, before if ranges else 0)
                self._take(chunks if ranges else self._after(chunks, before))
            except NoRanges:
                ranges = False
            except HttpError:
                raise
            except Exception as error:
                failures = 1 if self._writer.size > before else failures + 1
                self._source.pause(error, failures)

    def _take(self, chunks: Iterator[bytes]) -> None:
        """Write what comes, and have those told soon who wait for it: not of every chunk, of which there are many."""
        for chunk in chunks:
            self._writer.write([chunk])
            self._on_disk = self._writer.size  # only now: the writer counts what it is about to write
            if not self._entry.lfs:
                self._sha1.update(chunk)
            if not self._told:
                self._told = True
                self._loop.call_soon_threadsafe(self._loop.call_later, _TELL_SECONDS, self._tell)

    def _after(self, chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
        """Yield what follows the bytes that are here. Raise HttpError where others come: some were sent on already."""
        place = 0
        for chunk in chunks:
            if place < count:
                begin = chunk[: count - place]
                if os.pread(self._reader.fileno(), len(begin), place) != begin:
                    raise HttpError(502, f"{self._place.path} of {self._place.repo} is another one each time it comes")
            if place + len(chunk) > count:
                yield chunk[max(0, count - place) :]
            place += len(chunk)


def describe(error: Any) -> HttpError:
    """Return the answer to a request for a file that did not come."""
    if isinstance(error, HttpError):
        return error
    return HttpError(502, f"The file did not come: {error}", headers={"Retry-After": "5"})
