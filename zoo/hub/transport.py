"""Requests to a Hub: parts of files and lists, over connections that may break, stall, lie or lead elsewhere."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

from zoo.errors import IntegrityError, NetworkError
from zoo.hub.credentials import origin_of
from zoo.hub.endpoint import Connection
from zoo.hub.retry_policy import Faulty, RetryPolicy, SpeedWatch

MAX_REDIRECTS = 10
MAX_PAGES = 1000
MAX_LIST_BYTES = 64 * 1024 * 1024
_MAX_ERROR_BYTES = 64 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_NEXT = re.compile(r'<([^<>]{1,4096})>\s*;\s*rel="next"')


class NoRanges(Exception):
    """The server does not give this part of the file; the whole one may still be had."""


class PullCancelled(Exception):
    """The pull was given up elsewhere."""


class Transport:
    """A connection with the patience for it. Safe to use from several threads."""

    def __init__(
        self, connection: Connection, policy: RetryPolicy, allowed: Callable[[str | None], bool] = lambda _: True
    ) -> None:
        """Keep the patience of a policy; `allowed` tells of a host whether a redirect to it is followed."""
        self._connection = connection
        self._patience = policy
        self._allowed = allowed
        self._places: dict[str, str] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let every transfer end at its next chunk."""
        self._stopped.set()

    def part(self, url: str, start: int, stop: int, size: int) -> bytearray:
        """Return the bytes from `start` to before `stop` of a file of `size` bytes, going on where a transfer broke.

        Raise NoRanges when the server cannot give parts of it.
        """
        received = bytearray()
        failures = 0
        while len(received) < stop - start:
            before = len(received)
            try:
                for chunk in self._stream(url, start + before, stop, size):
                    received += chunk
            except Exception as error:
                failures = 1 if len(received) - before >= self._patience.worthwhile else failures + 1
                self._wait(self._patience.before_next(error, failures))
        return received

    def whole(self, url: str, size: int, start: int = 0) -> Iterator[bytes]:
        """Yield a file from its beginning, or from `start` on, once. Raise Faulty when it breaks off or is longer."""
        yield from self._stream(url, start, size, size)

    def pause(self, error: Exception, failures: int) -> None:
        """Wait before asking again. Raise the error where that is pointless by now."""
        self._wait(self._patience.before_next(error, failures))

    def document(self, url: str) -> Any:
        """Return the JSON document at an address."""
        return self._document(url)[0]

    def pages(self, url: str) -> Iterator[Any]:
        """Yield the JSON document at an address, and those that its `next` links lead to."""
        following: str | None = url
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            if following is None:
                return
            if following in seen:
                raise IntegrityError(f"{self._connection.url} leads back to a page of its list; report it to its owner")
            seen.add(following)
            value, link = self._document(following)
            yield value
            match = _NEXT.search(link)
            following = _joined(following, match[1]) if match else None
            if following and origin_of(following) != origin_of(url):
                raise IntegrityError(
                    f"{self._connection.url} continues its list on another host; report it to its owner"
                )
        if following is not None:
            raise IntegrityError(
                f"{self._connection.url} gives a list of more than {MAX_PAGES:,} pages; report it to its owner"
            )

    def content(self, url: str, max_bytes: int) -> bytes:
        """Return what lies at an address, which the Hub's list does not name. Raise IntegrityError beyond the limit."""
        failures = 0
        while True:
            try:
                with self._opened(url, {}) as response:
                    return bytes(self._body(response, url, max_bytes))
            except Exception as error:
                failures += 1
                self.pause(error, failures)

    def _document(self, url: str) -> tuple[Any, str]:
        failures = 0
        while True:
            try:
                with self._opened(url, {}) as response:
                    body = self._body(response, url, MAX_LIST_BYTES)
                    try:
                        return json.loads(body), response.headers.get("link", "")
                    except (ValueError, RecursionError):
                        raise Faulty(f"{url} gives no JSON") from None
            except Exception as error:
                failures += 1
                self.pause(error, failures)

    def _body(self, response: Any, url: str, max_bytes: int) -> bytearray:
        body = bytearray()
        for chunk in self._paced(response, url):
            body += chunk
            if len(body) > max_bytes:
                raise IntegrityError(f"{url} gives more than {max_bytes:,} bytes; report it to its owner")
        return body

    def _stream(self, url: str, start: int, stop: int, size: int) -> Iterator[bytes]:
        """Yield bytes of a file by one request, never more than were asked for."""
        partial = (start, stop) != (0, size)
        with self._opened(url, {"Range": f"bytes={start}-{stop - 1}"} if partial else {}) as response:
            _check_answer(response, start if partial else None, stop, size)
            left = stop - start
            for chunk in self._paced(response, url):
                left -= len(chunk)
                if left < 0:
                    raise Faulty(f"{url} sends more than was asked for")
                yield chunk
            if left:
                raise Faulty(f"the connection broke off {left:,} bytes early")

    def _paced(self, response: Any, url: str) -> Iterator[bytes]:
        pace = SpeedWatch(self._patience, url)
        for chunk in response.iter_raw():
            if self._stopped.is_set():
                raise PullCancelled
            pace.add(len(chunk))
            yield chunk

    @contextmanager
    def _opened(self, url: str, headers: dict[str, str]) -> Iterator[Any]:
        """Open an address, following redirects; the token goes to the Hub's own origin and nowhere else."""
        from huggingface_hub.utils import build_hf_headers, get_session

        known = self._places.get(url)
        place, trusted = known or url, known is None
        plain = {**build_hf_headers(token=False), "accept-encoding": "identity", **headers}
        shown = self._connection.credentials.header
        for _ in range(MAX_REDIRECTS + 1):
            sent = {**plain, "authorization": shown} if trusted and shown else plain
            stream = get_session().stream(
                "GET", place, headers=sent, follow_redirects=False, timeout=self._patience.stall
            )
            with stream as response:
                if not response.has_redirect_location:
                    if response.is_error and known:  # an address that was signed for a while, and is over
                        self._places.pop(url, None)
                        raise Faulty(f"{place.partition('?')[0]} answers {response.status_code}")
                    self._check(response, url)
                    if not trusted:
                        self._places[url] = place
                    yield response
                    return
                target = _joined(place, response.headers["location"])
            if origin_of(target)[0] not in ("http", "https") or (place[:6], target[:5]) == ("https:", "http:"):
                raise NetworkError(
                    f"{place} leads to {target[:200]}, which is not safe to follow; report it to its owner"
                )
            same = origin_of(target) == origin_of(url)
            if not same and not self._allowed(origin_of(target)[1]):
                raise NetworkError(
                    f"{self._connection.url} leads to {origin_of(target)[1]}, which is none of its hosts"
                )
            trusted = trusted and same
            place = target
        raise NetworkError(f"{url} redirects more than {MAX_REDIRECTS} times; report it to its owner")

    def _check(self, response: Any, url: str) -> None:
        """Raise for an answer that is an error, reading only so much of it, and for one that is compressed."""
        from huggingface_hub.utils import hf_raise_for_status

        if response.status_code == 416 and "range" in response.request.headers:
            raise NoRanges
        if response.is_error:
            body = bytearray()
            try:
                for chunk in self._paced(response, url):
                    body += chunk
                    if len(body) > _MAX_ERROR_BYTES:
                        break
            except Exception as error:  # the status says enough
                if isinstance(error, PullCancelled):
                    raise
            skipped = (b"content-encoding", b"content-length", b"transfer-encoding")
            headers = [(key, value) for key, value in response.headers.raw if key.lower() not in skipped]
            short = type(response)(response.status_code, headers=headers, content=bytes(body), request=response.request)
            hf_raise_for_status(short)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise NetworkError(f"{url} comes compressed, which cannot be verified; report it to the Hub's owner")

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self._stopped.wait(min(left, 0.5)):
                raise PullCancelled


def _check_answer(response: Any, start: int | None, stop: int, size: int) -> None:
    """Raise unless this is the part that was asked for; `start` is None for a whole file."""
    if start is None:
        if response.status_code != 200:
            raise Faulty(f"a file was asked for, and {response.status_code} came")
        length = response.headers.get("content-length")
        if length is not None and length != str(size):
            raise Faulty(f"the Hub announces {length[:20]} bytes where its list says {size}")
        return
    if response.status_code == 200:
        raise NoRanges
    match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    wanted = (str(start), str(stop - 1))
    if response.status_code != 206 or match is None or match.groups()[:2] != wanted or match[3] not in (str(size), "*"):
        raise Faulty(f"bytes {start}-{stop - 1} were asked for, and {match[0] if match else 'others'} came")


def _joined(base: str, link: str) -> str:
    """Return where a link leads. Raise NetworkError where that is no address."""
    try:
        target = urljoin(base, link)
        (origin_of(target)[1] or "").encode("idna")
    except ValueError:  # of a port that is none, or a name that no host can have
        raise NetworkError(f"{base} leads to {link[:200]!r}, which is no address; report it to its owner") from None
    return target
