"""Serve a Hub's folder: for the length of a `with` block, or until a signal."""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo.errors import NetworkError, UsageError
from zoo.files import storage_errors
from zoo.hub.server.options import LOOPBACK, Options
from zoo.hub.server.store import ServedStore

_START_SECONDS = 10
_EXTRA = "a Hub of one's own needs the serve extra: pip install 'zoo-hub[serve]'"


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
    with _prepared(folder, options or Options(port=port)) as (server, listener, served):
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="zoo-hub", daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield served
        finally:
            server.should_exit = True
            thread.join()


def serve_forever(folder: Path, options: Options, started: Callable[[ServedHub], None]) -> None:
    """Serve a Hub's folder until SIGINT or SIGTERM; requests under way may then finish."""

    def stop(*_: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    with _prepared(folder, options) as (server, listener, served):
        started(served)
        server.run(sockets=[listener])


@contextmanager
def _prepared(folder: Path, options: Options) -> Iterator[tuple[Any, socket.socket, ServedHub]]:
    with _listening(options) as listener, _opened(folder) as store:
        host = f"[{options.host}]" if ":" in options.host else options.host
        scheme = "https" if options.certificate else "http"
        url = (options.url or f"{scheme}://{host}:{listener.getsockname()[1]}").rstrip("/")
        server, application = _server(store, replace(options, port=listener.getsockname()[1]))
        try:
            yield server, listener, ServedHub(url, store.token, folder, store.first_start)
        finally:
            application.close()


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


def _server(store: ServedStore, options: Options) -> tuple[Any, Any]:
    try:
        import uvicorn

        from zoo.hub.server.application import Application
        from zoo.hub.server.protocol import hub_protocol
    except ImportError:
        raise UsageError(_EXTRA) from None
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
        limit_concurrency=options.limits.max_connections,
        timeout_graceful_shutdown=options.stop_seconds,
        server_header=False,
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


def _wait_until_started(server: Any, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise NetworkError("the embedded Hub did not start; run again with --debug")
        time.sleep(0.005)
