"""The little of HTTP that the routes need, over raw ASGI: requests, responses, errors as clients read them."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_JSON = 8 * 1024 * 1024


class HttpError(Exception):
    """An answer that is an error; `code` is the X-Error-Code that the client maps to an exception."""

    def __init__(
        self, status: int, message: str, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Message": message.encode("ascii", "replace").decode(), **(headers or {})}
        if code:
            self.headers["X-Error-Code"] = code


@dataclass(frozen=True)
class Response:
    """A whole answer in memory; `stream` answers in pieces instead."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


class Request:
    """One request. `segments` are the raw path split at "/" and only then unquoted: `a%2Fb` stays one segment."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        self.segments = [_unquote(part) for part in raw.decode("latin-1").partition("?")[0].split("/")[1:]]
        self.query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        self.headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        self._receive = receive

    def values(self, name: str) -> list[str]:
        """Return every value of a query parameter."""
        return [value for key, value in self.query if key == name]

    def value(self, name: str) -> str | None:
        """Return the first value of a query parameter."""
        return next(iter(self.values(name)), None)

    def flag(self, name: str) -> bool:
        """Tell whether a query parameter is on, in any client's spelling."""
        return (self.value(name) or "").lower() in ("true", "1")

    async def chunks(self, limit: int) -> AsyncIterator[bytes]:
        """Yield the body as it comes. Raise HttpError 413 beyond the limit."""
        total = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise HttpError(400, "The client went away")
            chunk: bytes = message.get("body", b"")
            total += len(chunk)
            if total > limit:
                raise HttpError(413, f"The body is larger than {limit:,} bytes")
            if chunk:
                yield chunk
            if not message.get("more_body"):
                return

    async def body(self, limit: int = MAX_JSON) -> bytes:
        """Return the whole body."""
        return b"".join([chunk async for chunk in self.chunks(limit)])

    async def json(self) -> dict[str, Any]:
        """Return the body as a JSON object. Raise HttpError 400 for anything else."""
        try:
            value = json.loads(await self.body() or b"{}")
        except (ValueError, RecursionError):
            raise HttpError(400, "The body is not JSON") from None
        if not isinstance(value, dict):
            raise HttpError(400, "The body is not a JSON object")
        return value

    async def lines(self, line_limit: int, limit: int) -> AsyncIterator[dict[str, Any]]:
        """Yield the objects of an NDJSON body, one line held at a time."""
        rest = b""
        async for chunk in self.chunks(limit):
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > line_limit:
                raise HttpError(413, f"A line is larger than {line_limit:,} bytes")
            for line in whole:
                if line.strip():
                    yield _object(line)
        if rest.strip():
            yield _object(rest)


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise HttpError(400, "A line is not JSON") from None
    if not isinstance(value, dict) or not isinstance(value.get("value"), dict):
        raise HttpError(400, "A line is not an object with key and value")
    return value


def _unquote(part: str) -> str:
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise HttpError(400, "The path is not UTF-8") from None


async def send_response(response: Response, send: Send, *, head: bool) -> None:
    """Send an answer; to HEAD without its body."""
    headers = {"X-Content-Type-Options": "nosniff", **response.headers}
    if response.stream is None:
        headers.setdefault("Content-Length", str(len(response.body)))
    encoded = [(key.lower().encode("latin-1"), value.encode("latin-1", "replace")) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    if response.stream is not None and not head:
        async for chunk in response.stream:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        await send({"type": "http.response.body", "body": b"" if head else response.body})
