"""Serve a Hub's folder on loopback for the length of a `with` block."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import NetworkError, UsageError
from zoo.hub.server.access import Access
from zoo.hub.server.application import Application
from zoo.hub.server.store import Store
from zoo.paths import storage_errors

_START_SECONDS = 10


@dataclass(frozen=True)
class ServedHub:
    """A Hub that answers now."""

    url: str
    token: str
    folder: Path


@contextmanager
def serve_folder(folder: Path, *, port: int = 0) -> Iterator[ServedHub]:
    """Serve a Hub's folder, made when there is none, from a thread of this process; port 0 takes a free one."""
    with _listening(port) as listener, _opened(folder) as store:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = _server(store, url)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="zoo-hub", daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield ServedHub(url, store.token, folder)
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _opened(folder: Path) -> Iterator[Store]:
    with storage_errors(f"opening the Hub in {folder}"):
        store = Store(folder)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise NetworkError(
                f"port {port} of 127.0.0.1 cannot be had: {error.strerror}; choose another --port"
            ) from None
        yield listener
    finally:
        listener.close()


def _server(store: Store, url: str) -> Any:
    try:
        import uvicorn
    except ImportError:
        raise UsageError("a Hub of one's own needs the serve extra: pip install 'zoo-hub[serve]'") from None
    application: Any = Application(Access(store, url))
    config = uvicorn.Config(
        application,
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="off",
        interface="asgi3",
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    return uvicorn.Server(config)


def _wait_until_started(server: Any, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise NetworkError("the embedded Hub did not start; run again with --debug")
        time.sleep(0.005)
