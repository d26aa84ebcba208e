"""uvicorn's HTTP protocol, with a limit to everything that a client can send or leave unread without end."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from zoo.hub.server.pace import LOOKS, Outflow, queued

_MAX_HEAD = 64 * 1024  # bytes of a head, with the trailers of the same request
_MAX_HEADERS = 256
_MAX_PIPELINED = 64
_MAX_CHUNKS = 16_384  # and one more for every _SMALL_CHUNK bytes of the body
_SMALL_CHUNK = 64


class TooMuchError(Exception):
    """A request has more of something than any client has a use for; uvicorn answers 400 and closes."""


def hub_protocol(idle_seconds: float) -> type[asyncio.Protocol]:
    """Return a protocol that closes connections whose requests do not arrive, or whose answers are not taken."""

    class HubProtocol(HttpToolsProtocol):
        _head_timer: asyncio.TimerHandle | None = None
        _unsent_timer: asyncio.TimerHandle | None = None
        _silent = 0  # bytes that came since the last head was whole, or the last bytes of a body that is waited for
        _moved = False

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            # Whatever stays unsent is told by pause_writing then; asyncio's TLS takes 0 for "always paused".
            transport.set_write_buffer_limits(high=int(self.scheme == "https"))
            self._expect_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_head_timer()
            self._stop_unsent_timer()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            waiting = self._waits_for_head()
            self._moved = False
            super().data_received(data)
            self._silent = 0 if self._moved else self._silent + len(data)
            if self._silent > _MAX_HEAD:
                self.transport.close()
            elif not self._waits_for_head():
                self._stop_head_timer()
            elif waiting and self._head_timer is None:
                self._expect_head()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._head_bytes = self._chunks = self._body_bytes = 0
            if len(self.pipeline) > _MAX_PIPELINED:
                raise TooMuchError("requests sent before the answers to those before them were read")

        def on_url(self, url: bytes) -> None:
            self._count_head(len(url))
            super().on_url(url)

        def on_header(self, name: bytes, value: bytes) -> None:  # of trailers, too
            self._count_head(len(name) + len(value))
            super().on_header(name, value)
            if len(self.headers) > _MAX_HEADERS:
                raise TooMuchError("headers")

        def _count_head(self, count: int) -> None:
            self._head_bytes += count
            if self._head_bytes > _MAX_HEAD:
                raise TooMuchError("bytes of headers")

        def on_headers_complete(self) -> None:
            self._moved = True
            super().on_headers_complete()

        def on_chunk_header(self) -> None:
            self._chunks += 1
            if self._chunks > _MAX_CHUNKS + self._body_bytes // _SMALL_CHUNK:
                raise TooMuchError("tiny chunks")

        def on_body(self, body: bytes) -> None:
            self._body_bytes += len(body)
            self._moved = self._moved or not self._waits_for_head()
            super().on_body(body)

        def _waits_for_head(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def _expect_head(self) -> None:
            self._head_timer = self.loop.call_later(idle_seconds, self._too_late)

        def _stop_head_timer(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _too_late(self) -> None:
            self._head_timer = None
            if self._waits_for_head() and not self.transport.is_closing():
                self.transport.close()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._outflow = Outflow(idle_seconds, self._unsent())
            self._watch_unsent()

        def resume_writing(self) -> None:
            self._stop_unsent_timer()
            super().resume_writing()

        def _unsent(self) -> int:
            return self.transport.get_write_buffer_size() + queued(self.transport.get_extra_info("socket").fileno())

        def _watch_unsent(self) -> None:
            """Give the connection up when the client takes nothing; one that is closing would wait forever, too."""
            if self._outflow.stalled(self._unsent()):
                self.transport.abort()
            else:
                self._unsent_timer = self.loop.call_later(idle_seconds / LOOKS, self._watch_unsent)

        def _stop_unsent_timer(self) -> None:
            if self._unsent_timer is not None:
                self._unsent_timer.cancel()
                self._unsent_timer = None

    return HubProtocol
