"""Serve a Hub's folder: for the length of a `with` block, or until a signal."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import NetworkError, UsageError
from zoo.extras import require
from zoo.files import storage_errors
from zoo.hub.server.options import LOOPBACK, Options
from zoo.hub.server.store import ServedStore

if TYPE_CHECKING:
    from zoo.hub.server.application import Application

_log = logging.getLogger("zoo.hub.server")
MODULES = ("uvicorn", "httptools", "jinja2", "lz4", "markdown_it", "nh3")
"""What a Hub needs of the serve extra."""
_START_SECONDS = 10
_FINISHING = 0.9  # of the grace; in what is left, requests are told to end, and do
_SWITCH_SECONDS = 0.0005
"""How long a thread that computes may keep the event loop from the interpreter's lock, a tenth of Python's own 5 ms."""


@dataclass(frozen=True)
class ServedHub:
    """A Hub that answers now. `first_start` tells that its folder, and so its token, is new."""

    url: str
    token: str
    folder: Path
    first_start: bool = False


@contextmanager
def serve_folder(folder: Path, *, port: int = 0, options: Options | None = None) -> Iterator[ServedHub]:
    """Serve a Hub's folder, made when there is none, from a thread of this process; port 0 takes a free one."""
    options = options or Options(port=port)
    with _running(folder, options) as server:
        try:
            yield server.hub
        finally:
            if cut_off := server.stop(options.grace_seconds):
                _log.warning("the Hub in %s was stopped while it did: %s", folder, ", ".join(cut_off))


def serve_forever(
    folder: Path, options: Options, started: Callable[[ServedHub], None], cut_off: Callable[[list[str]], None]
) -> None:
    """Serve a Hub's folder until SIGINT or SIGTERM; requests under way may then finish, as long as the grace lasts.

    `cut_off` is told which did not. The process then ends, whatever its threads do: the store bears that at any moment.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    with _running(folder, options) as server:
        gc.collect()
        gc.freeze()  # what is loaded now stays: looking through it for garbage held everything up for 30 ms at a time
        try:
            with _signals():
                started(server.hub)
                server.wait()
        finally:
            with _second_signal():
                if under_way := server.stop(options.grace_seconds):
                    cut_off(under_way)
            if server.hangs:
                sys.stdout.flush()
                os._exit(128 + signal.SIGINT if isinstance(sys.exception(), KeyboardInterrupt) else 0)


@contextmanager
def _signals() -> Iterator[None]:
    """Leave the block at SIGTERM or SIGINT."""

    def stop(number: int, _: object) -> None:
        raise SystemExit(0) if number == signal.SIGTERM else KeyboardInterrupt

    with _handled(stop):
        yield


@contextmanager
def _second_signal() -> Iterator[None]:
    """End the process at once at SIGTERM or SIGINT."""
    with _handled(lambda number, _: os._exit(128 + number)):
        yield


@contextmanager
def _handled(handler: Callable[[int, Any], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


class _Server:
    """A server in a thread of its own: whatever its requests do, signals and whoever stops it need not wait."""

    def __init__(self, server: Any, application: "Application", listener: socket.socket, hub: ServedHub) -> None:
        self.hub = hub
        self.hangs = False
        self._server = server
        self._application = application
        self._listener = listener
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="zoo-hub", daemon=True)

    def start(self) -> None:
        """Return when it answers."""
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if self._end.is_set() or time.monotonic() > deadline:
                raise NetworkError("the embedded Hub did not start; run again with --debug")
            time.sleep(0.005)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._application.lanes.precedence.new_loop) as runner:
                runner.run(self._serve())
        finally:
            self._end.set()

    async def _serve(self) -> None:
        asyncio.get_running_loop().set_default_executor(self._application.lanes.short)
        await self._server.serve(sockets=[self._listener])

    def wait(self) -> None:
        """Return when it has ended."""
        self._end.wait()  # a join that a signal interrupts takes the thread for ended

    def stop(self, seconds: float) -> list[str]:
        """End it, and return what requests could not finish; `hangs` tells whether any goes on all the same."""
        until = time.monotonic() + seconds
        self._server.should_exit = True
        if self._ended(seconds * _FINISHING):
            return []
        under_way = self._application.cut_off()
        self._server.force_exit = True
        self.hangs = not self._ended(max(0.0, until - time.monotonic()))
        return under_way

    def _ended(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        return self._end.wait(seconds) and self._application.finish(max(0.0, until - time.monotonic()))


@contextmanager
def _running(folder: Path, options: Options) -> Iterator[_Server]:
    require("a Hub of one's own", *MODULES)
    with ExitStack() as opened:
        listener = opened.enter_context(_listening(options))
        store = opened.enter_context(_opened(folder))
        host = f"[{options.host}]" if ":" in options.host else options.host
        scheme = "https" if options.certificate else "http"
        url = (options.url or f"{scheme}://{host}:{listener.getsockname()[1]}").rstrip("/")
        uvicorn_server, application = _server(store, replace(options, port=listener.getsockname()[1]))
        opened.callback(application.close)
        hub = ServedHub(url, store.token, folder, store.first_start)
        server = _Server(uvicorn_server, application, listener, hub)
        server.start()
        try:
            yield server
        finally:
            if server.hangs:  # what hangs may hold the database: to close it would hang, too
                opened.pop_all()


@contextmanager
def _opened(folder: Path) -> Iterator[ServedStore]:
    with storage_errors(f"opening the Hub in {folder}"):
        store = ServedStore(folder)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _listening(options: Options) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off; without, every answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listener.bind((options.host, options.port))
            listener.listen(options.limits.max_connections)  # from here on clients wait, and are not refused
        except OSError as error:
            reason = error.strerror or error
            raise NetworkError(
                f"port {options.port} of {options.host} is not available: {reason}; choose another --port"
            ) from None
        yield listener
    finally:
        listener.close()


def _server(store: ServedStore, options: Options) -> tuple[Any, "Application"]:
    import uvicorn

    from zoo.hub.server.application import Application
    from zoo.hub.server.protocol import hub_protocol

    application = Application(store, options)
    config = uvicorn.Config(
        application,
        loop="asyncio",  # uvloop has no sendfile
        http=hub_protocol(options.limits.idle_seconds),
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        interface="asgi3",
        ws="none",  # whichever library for them is installed, it would take connections past the limits
        limit_concurrency=options.limits.max_connections,
        server_header=False,
        proxy_headers=options.url is not None,  # X-Forwarded-For is believed of a proxy that --url tells of
        ssl_certfile=options.certificate,
        ssl_keyfile=options.key,
    )
    return uvicorn.Server(config), application


def check_exposure(options: Options, insecure: bool) -> None:
    """Raise UsageError for an address that others reach, where tokens and files would cross the network in the open."""
    if options.local or options.certificate or insecure:
        return
    raise UsageError(
        f"--host {options.host} can be reached from outside {LOOPBACK[0]}, and without TLS anybody in between can read "
        "the tokens; give --certificate and --key, put a TLS proxy before 127.0.0.1, or pass --insecure"
    )
