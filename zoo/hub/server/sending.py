"""Send answers: small ones at once, files by the kernel's sendfile where the connection lets us."""

import asyncio
from typing import Any, BinaryIO

from zoo.hub.server.http import Response, Scope, Send

_PIECE = 16 * 1024 * 1024
_CHUNK = 256 * 1024
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


async def send_response(response: Response, scope: Scope, send: Send, idle_seconds: float) -> None:
    """Send an answer; to HEAD without its body. Raise TimeoutError when the client takes nothing for too long."""
    headers = {**_HEADERS, **response.headers}
    whole = response.stream is None and response.file is None
    if whole:
        headers.setdefault("Content-Length", str(len(response.body)))
    encoded = [(key.lower().encode("latin-1"), value.encode("latin-1", "replace")) for key, value in headers.items()]
    start = {"type": "http.response.start", "status": response.status, "headers": encoded}
    try:
        await send(start)
        if scope["method"] == "HEAD" or whole:
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})
        elif response.stream is not None:
            async for chunk in response.stream:
                async with asyncio.timeout(idle_seconds):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        elif response.file is not None:
            await _send_file(*response.file, send, idle_seconds)
    finally:
        if response.file is not None:
            response.file[0].close()


async def _send_file(file: BinaryIO, start: int, end: int, send: Send, idle_seconds: float) -> None:
    cycle: Any = getattr(send, "__self__", None)
    transport: Any = getattr(cycle, "transport", None)
    if _can_sendfile(cycle, transport):
        loop = asyncio.get_running_loop()
        while start < end:
            count = min(_PIECE, end - start)
            async with asyncio.timeout(idle_seconds + count / 1024):
                try:
                    await loop.sendfile(transport, file, start, count, fallback=False)
                except (ConnectionError, RuntimeError):  # the client went away
                    transport.abort()
                    return
            start += count
        cycle.expected_content_length = 0
        await send({"type": "http.response.body", "body": b""})
        return
    while start < end:
        chunk = await asyncio.to_thread(_read, file, start, min(_CHUNK, end - start))
        if not chunk:
            return  # shorter than the store says: the connection breaks, and the client notices
        start += len(chunk)
        async with asyncio.timeout(idle_seconds):
            await send({"type": "http.response.body", "body": chunk, "more_body": start < end})
    if start == end == 0:
        await send({"type": "http.response.body", "body": b""})


def _can_sendfile(cycle: Any, transport: Any) -> bool:
    """Tell whether the server's request is of the kind that we know, over a plain socket."""
    return (
        type(cycle).__name__ == "RequestResponseCycle"
        and hasattr(cycle, "expected_content_length")
        and type(transport).__name__ == "_SelectorSocketTransport"
        and transport.get_write_buffer_size() < _PIECE
    )


def _read(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)
