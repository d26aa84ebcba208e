"""Fetch files: many parts at once over several connections, written and hashed in order by one writer."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from zoo.errors import IntegrityError, NetworkError
from zoo.hub.partial import Partial
from zoo.hub.records import WantedFile
from zoo.hub.transport import NoRanges, Transport
from zoo.hub.workers import Workers

CONNECTIONS = 4
AHEAD = 8
"""How many parts may be on their way or wait for their turn; with SEGMENT this bounds the memory."""
SEGMENT = 4 * 1024 * 1024


class Download:
    """Fetch files into a folder of blobs."""

    def __init__(
        self,
        transport: Transport,
        blobs: Path,
        address: Callable[[str], str],
        advance: Callable[[int], object],
        repo: str,
    ) -> None:
        self._transport = transport
        self._blobs = blobs
        self._address = address
        self._advance = advance
        self._repo = repo
        self._begun: list[Partial] = []

    def run(self, wanted: list[WantedFile]) -> dict[str, str]:
        """Fetch the files; return the sha256 of each by its name in the cache."""
        window: deque[tuple[Partial, Future[bytearray]]] = deque()
        try:
            with Workers(CONNECTIONS) as workers:
                for file, start, stop in self._segments(wanted):
                    job = partial(self._transport.part, self._address(file.wanted.name), start, stop, file.wanted.size)
                    window.append((file, workers.submit(job)))
                    if len(window) == AHEAD:
                        self._take(*window.popleft())
                while window:
                    self._take(*window.popleft())
        except BaseException:
            self._transport.stop()
            raise
        finally:
            for file in self._begun:
                file.release()
        return {file.wanted.etag: file.digests.sha256() for file in self._begun}

    def _segments(self, wanted: list[WantedFile]) -> Iterator[tuple[Partial, int, int]]:
        """Yield every part that is missing, file by file, in the order in which it will be written."""
        for item in wanted:
            file = Partial(self._blobs, item)
            self._begun.append(file)
            self._advance(file.size)
            if file.size == item.size:
                self._conclude(file)
            for start in range(file.size, item.size, SEGMENT):
                if file.finished:
                    break
                yield file, start, min(start + SEGMENT, item.size)

    def _take(self, file: Partial, coming: "Future[bytearray]") -> None:
        """Write the next part when it has come."""
        if file.finished:
            coming.cancel()
            return
        try:
            data = coming.result()
        except NoRanges:
            self._fetch_whole(file)
        else:
            file.append(data)
            self._advance(len(data))
        if file.size == file.wanted.size:
            self._conclude(file)

    def _conclude(self, file: Partial) -> None:
        """Give a file its name. A wrong one is fetched once more, whole."""
        target = self._blobs / file.wanted.etag
        if file.publish(target):
            return
        self._fetch_whole(file)
        if file.publish(target):
            return
        wanted, found = file.wanted, file.digests.found()
        file.discard()
        right = f"sha256 {wanted.sha256}" if wanted.sha256 else f"git id {wanted.etag}"
        raise IntegrityError(
            f"{wanted.name} of {self._repo} has {found}, not {right}: nothing was kept; report it to the Hub's owner"
        )

    def _fetch_whole(self, file: Partial) -> None:
        """Fetch a file from its beginning by one request after another, until one brings all of it."""
        failures = 0
        while True:
            self._advance(-file.size)
            file.restart()
            try:
                for chunk in self._transport.whole(self._address(file.wanted.name), file.wanted.size):
                    file.append(chunk)
                    self._advance(len(chunk))
                return
            except NoRanges:
                raise NetworkError(
                    f"the Hub sends no byte of {file.wanted.name} of {self._repo}; report it to its owner"
                ) from None
            except Exception as error:
                failures += 1
                self._transport.pause(error, failures)
