"""uvicorn's HTTP protocol, with a deadline for requests that never arrive and a limit to their heads."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MAX_HEAD = 64 * 1024


def hub_protocol(idle_seconds: float) -> type[asyncio.Protocol]:
    """Return a protocol that closes connections on which no whole head of a request comes in time."""

    class HubProtocol(HttpToolsProtocol):
        _timer: asyncio.TimerHandle | None = None
        _head_bytes = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._expect_head()

        def data_received(self, data: bytes) -> None:
            waiting = self._waits_for_head()
            super().data_received(data)
            if not self._waits_for_head():
                self._stop_timer()
            elif waiting:
                self._head_bytes += len(data)
                if self._head_bytes > _MAX_HEAD:
                    self.transport.close()
                elif self._timer is None:
                    self._expect_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        def _waits_for_head(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def _expect_head(self) -> None:
            self._timer = self.loop.call_later(idle_seconds, self._too_late)

        def _stop_timer(self) -> None:
            self._head_bytes = 0
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _too_late(self) -> None:
            self._timer = None
            if self._waits_for_head() and not self.transport.is_closing():
                self.transport.close()

    return HubProtocol
