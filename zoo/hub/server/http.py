"""The little of HTTP that the routes need, over raw ASGI: requests, responses, errors as clients read them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, unquote

import msgspec

from zoo.hub.server.held import Memory, Share
from zoo.hub.server.pace import Pace

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_JSON = 8 * 1024 * 1024
_MAX_VALUES = 250_000  # of a body of JSON: each takes much more memory than it has bytes
_BATCH = 1024 * 1024


class HttpError(Exception):
    """An answer that is an error; `code` is the X-Error-Code that the client maps to an exception."""

    def __init__(
        self, status: int, message: str, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Message": header_text(message), **(headers or {})}
        if code:
            self.headers["X-Error-Code"] = code


class BrokenOff(Exception):
    """The rest of an answer will not come; its connection is to break, so that the client notices."""


@dataclass(frozen=True)
class Response:
    """An answer: a body in memory, pieces that come, or a file's bytes from start to end.

    Of a file that is still written `ready` says, from a position on, how far it may be sent, once there is more to
    send; it raises BrokenOff where that will never be.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None
    file: tuple[BinaryIO, int, int] | None = None
    ready: Callable[[int], Awaitable[int]] | None = None


def header_text(text: str) -> str:
    """Return text that may stand in a header."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(status, msgspec.json.encode(value), {"Content-Type": "application/json", **(headers or {})})


class Request:
    """One request. `segments` are the raw path split at "/" and only then unquoted: `a%2Fb` stays one segment."""

    def __init__(self, scope: Scope, receive: Receive, idle_seconds: float, memory: Memory | None = None) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        self.raw_path = raw.decode("latin-1").partition("?")[0]
        self.segments = [_unquote(part) for part in self.raw_path.split("/")[1:]]
        try:
            self.query = parse_qsl(
                scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="strict", max_num_fields=1000
            )
        except ValueError:
            raise HttpError(400, "The query is not UTF-8, or has too many parts") from None
        self.headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        self.form_key = self.headers.get("x-form-key", "")
        self.when_read: Callable[[], None] = lambda: None
        self.share = Share(memory)
        self._receive = receive
        self._idle_seconds = idle_seconds

    def values(self, name: str) -> list[str]:
        """Return every value of a query parameter."""
        return [value for key, value in self.query if key == name]

    def value(self, name: str) -> str | None:
        """Return the first value of a query parameter."""
        return next(iter(self.values(name)), None)

    def number(self, name: str, default: int) -> int:
        """Return a query parameter that is a number. Raise HttpError 400 for anything else."""
        text = self.value(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal()) or len(text) > 9:
            raise HttpError(400, f"{name} is not a number")
        return int(text)

    def flag(self, name: str) -> bool:
        """Tell whether a query parameter is on, in any client's spelling."""
        return (self.value(name) or "").lower() in ("true", "1")

    def renamed(self, name: str, new_name: str) -> str | None:
        """Return this request's own address with another repo's name in it; None where it does not name the first."""
        for place, pair in enumerate(pairwise(self.segments)):
            git = ".git" if pair[1].endswith(".git") else ""
            if "/".join(pair).removesuffix(git) == name:
                parts = self.raw_path.split("/")
                parts[place + 1 : place + 3] = f"{new_name}{git}".split("/")
                query = self.scope["query_string"].decode("latin-1")
                return "/".join(parts) + (f"?{query}" if query else "")
        return None

    @property
    def length(self) -> int:
        """Return how long the body is said to be; 0 where nothing is said."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isdecimal() else 0

    async def chunks(self, limit: int) -> AsyncIterator[bytes]:
        """Yield the body as it comes. Raise HttpError 413 beyond the limit, 408 when it stops coming or trickles."""
        total, pace = 0, Pace(self._idle_seconds)
        if self.length > limit:
            raise HttpError(413, f"The body is larger than {limit:,} bytes", headers={"Connection": "close"})
        while True:
            try:
                async with asyncio.timeout(pace.seconds()):
                    message = await self._receive()
            except TimeoutError:
                raise HttpError(408, "The body comes too slowly", headers={"Connection": "close"}) from None
            if message["type"] == "http.disconnect":
                raise HttpError(400, "The client went away")
            chunk: bytes = message.get("body", b"")
            total += len(chunk)
            pace.add(len(chunk))
            if total > limit:
                raise HttpError(413, f"The body is larger than {limit:,} bytes", headers={"Connection": "close"})
            if chunk:
                yield chunk
            if not message.get("more_body"):
                self.when_read()
                return

    async def batches(self, limit: int) -> AsyncIterator[list[bytes]]:
        """Yield the body in lists of chunks worth handing to another thread."""
        batch: list[bytes] = []
        held = 0
        async for chunk in self.chunks(limit):
            batch.append(chunk)
            held += len(chunk)
            if held >= _BATCH:
                yield batch
                batch, held = [], 0
        yield batch

    async def body(self, limit: int = MAX_JSON) -> bytes:
        """Return the whole body."""
        body = bytearray()
        async for chunk in self.chunks(limit):
            await self._hold(len(body) + len(chunk))
            body += chunk
        return bytes(body)

    async def _hold(self, size: int) -> None:
        """Raise HttpError 503 where others hold so much that there is no memory for this body."""
        if not await self.share.hold(size):
            headers = {"Retry-After": "10", "Connection": "close"}
            raise HttpError(503, "This Hub has too many large requests at once; try again", headers=headers)

    async def json(self, limit: int = MAX_JSON) -> dict[str, Any]:
        """Return the body as a JSON object. Raise HttpError 400 for anything else."""
        value = decode_json(await self.body(limit) or b"{}")
        if not isinstance(value, dict):
            raise HttpError(400, "The body is not a JSON object")
        return value

    async def lines(self, line_limit: int, limit: int) -> AsyncIterator[bytes]:
        """Yield the lines of a body, one held at a time."""
        rest = bytearray()
        async for chunk in self.chunks(limit):
            first, *others = chunk.split(b"\n")
            await self._hold(len(rest) + len(first))
            rest += first
            for other in others:
                if rest.strip():
                    yield bytes(rest)
                rest = bytearray(other)
            if len(rest) > line_limit:
                raise HttpError(413, f"A line is larger than {line_limit:,} bytes", headers={"Connection": "close"})
        if rest.strip():
            yield bytes(rest)


def decode_json(content: bytes) -> Any:
    """Return JSON. Raise HttpError 400 for what is none, 413 for what has too many values."""
    if sum(map(content.count, (b",", b"[", b"{"))) > _MAX_VALUES:
        raise HttpError(413, f"The body has more than {_MAX_VALUES:,} commas and brackets")
    try:
        return msgspec.json.decode(content)
    except (ValueError, RecursionError):
        raise HttpError(400, "The body is not JSON") from None


def text_of(values: Mapping[str, Any], key: str, default: str = "") -> str:
    """Return a text of a JSON object. Raise HttpError 400 for anything else; none and null are the default."""
    value = values.get(key)
    if value is None:
        return default
    if not isinstance(value, str):
        raise HttpError(400, f"{key} is not a text")
    return value


def _unquote(part: str) -> str:
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise HttpError(400, "The path is not UTF-8") from None
