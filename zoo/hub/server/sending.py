"""Send answers: small ones at once, files by the kernel's sendfile where the connection lets us.

What asyncio holds unsent is watched over by the protocol; what the kernel is to take by sendfile, here.
"""

import asyncio
import os
from contextlib import suppress
from typing import Any, BinaryIO

from zoo.hub.server.http import Response, Scope, Send
from zoo.hub.server.pace import LOOKS, Outflow, queued

_PIECE = 16 * 1024 * 1024
_CHUNK = 256 * 1024
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


async def send_response(response: Response, scope: Scope, send: Send, idle_seconds: float) -> None:
    """Send an answer; to HEAD without its body. A client that takes nothing for too long is cut off."""
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
    if start < end and _can_sendfile(cycle, transport):
        await send({"type": "http.response.body", "body": b"", "more_body": True})  # returns when the head is sent
        cycle.flow.pause_reading()
        if not transport.is_closing() and await _sendfile(transport, file, start, end, idle_seconds):
            cycle.expected_content_length = 0
            await send({"type": "http.response.body", "body": b""})
        else:
            transport.abort()
        return
    while start < end:
        chunk = await asyncio.to_thread(_read, file, start, min(_CHUNK, end - start))
        if not chunk:
            return  # shorter than the store says: the connection breaks, and the client notices
        start += len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": start < end})
    if start == end == 0:
        await send({"type": "http.response.body", "body": b""})


async def _sendfile(transport: Any, file: BinaryIO, start: int, end: int, idle_seconds: float) -> bool:
    """Send a part of a file past asyncio, whose own sendfile tells nothing until all is sent; False for a failure."""
    socket = os.dup(transport.get_extra_info("socket").fileno())  # a number that the loop does not know as asyncio's
    try:
        outflow = Outflow(idle_seconds, end - start)
        while start < end and not transport.is_closing():
            try:
                sent = os.sendfile(socket, file.fileno(), start, min(_PIECE, end - start))
            except BlockingIOError:
                await _writable(socket, idle_seconds / LOOKS)
                if outflow.stalled(end - start + queued(socket)):
                    return False
                continue
            if sent == 0:
                return False  # shorter than the store says
            start += sent
            await asyncio.sleep(0)
        return start == end
    except OSError:  # the client went away
        return False
    finally:
        os.close(socket)


async def _writable(socket: int, seconds: float) -> None:
    """Wait until the kernel takes more, or the time is over."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(socket, ready.set)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await ready.wait()
    finally:
        loop.remove_writer(socket)


def _can_sendfile(cycle: Any, transport: Any) -> bool:
    """Tell whether the server's request is of the kind that we know, over a plain socket."""
    return (
        type(cycle).__name__ == "RequestResponseCycle"
        and hasattr(cycle, "expected_content_length")
        and hasattr(cycle, "flow")
        and type(transport).__name__ == "_SelectorSocketTransport"
    )


def _read(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)
