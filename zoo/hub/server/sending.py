"""Send answers: small ones at once, files by the kernel's sendfile where the connection lets us.

What asyncio holds unsent is watched over by the protocol; what the kernel is to take by sendfile, here.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, BinaryIO

from zoo.hub.server.http import BrokenOff, Response, Scope, Send
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
            await _send_file(response, send, idle_seconds)
    finally:
        if response.file is not None:
            response.file[0].close()


async def _send_file(response: Response, send: Send, idle_seconds: float) -> None:
    assert response.file is not None, "it is asked for"
    file, start, end = response.file
    cycle: Any = getattr(send, "__self__", None)
    transport: Any = getattr(cycle, "transport", None)
    if start < end and _can_sendfile(cycle, transport):
        await send({"type": "http.response.body", "body": b"", "more_body": True})  # returns when the head is sent
        cycle.flow.pause_reading()
        async for begin, stop in _stretches(response):
            if transport.is_closing() or not await _sendfile(transport, file, begin, stop, idle_seconds):
                transport.abort()
                return
            start = stop
        if start == end:
            cycle.expected_content_length = 0
            await send({"type": "http.response.body", "body": b""})
        else:
            transport.close()  # what was sent before may still arrive, so that the client can go on from there
        return
    async for begin, stop in _stretches(response):
        while begin < stop:
            chunk = await asyncio.to_thread(os.pread, file.fileno(), min(_CHUNK, stop - begin), begin)
            if not chunk:
                return  # shorter than the store says: the connection breaks, and the client notices
            begin += len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": begin < end})
    if start == end == 0:
        await send({"type": "http.response.body", "body": b""})


async def _stretches(response: Response) -> AsyncIterator[tuple[int, int]]:
    """Yield where the parts of a file begin and end that may be sent, once they may; fewer where the rest never may."""
    assert response.file is not None, "it is asked for"
    _, start, end = response.file
    with suppress(BrokenOff):
        while start < end:
            stop = min(end, await response.ready(start)) if response.ready else end
            yield start, stop
            start = stop


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
