"""Serve a page on loopback, and answer what it asks: one question after the other, to whoever has the token."""

import hmac
import json
import logging
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import zoo
from zoo_try.parts import Part
from zoo_try.question import MOST_BYTES, read_question
from zoo_try.ways import Way

_PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/answer.js": ("answer.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_KIND = "application/x-zoo-question"
"""No page of another site can send this kind without being asked first, and the answer to that is no."""
_OWN = ("none", "same-origin")
_MOST_CONNECTIONS = 16
_PIECE = 1024**2
_IDLE_SECONDS = 30
_log = logging.getLogger("zoo")


class TryServer(ThreadingHTTPServer):
    """Weights on a page at `url`, which ends in the token. Uploads lie in a folder that goes when the server does."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = _MOST_CONNECTIONS

    def __init__(self, about: Mapping[str, Any], ways: list[Way], port: int = 0) -> None:
        self.ways = {way.name: way for way in ways}
        fields = {way.name: [asdict(field) for field in way.fields] for way in ways}
        self.about = {**about, "ways": [{"name": w.name, "title": w.title, "fields": fields[w.name]} for w in ways]}
        self.token = secrets.token_urlsafe(24)
        self.computing = threading.Lock()
        self._connections = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self._folder = tempfile.TemporaryDirectory(prefix="zoo-try-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise zoo.NetworkError(f"port {port} is not available: {error.strerror}; choose another --port") from None
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}
        self.url = f"http://127.0.0.1:{self.server_port}/#{self.token}"

    def server_close(self) -> None:
        super().server_close()
        self._folder.cleanup()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread; of too many connections, those that come last are closed."""
        if self._connections.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that goes away."""

    def answers(self, way: Way, values: Mapping[str, Any], folder: Path) -> Generator[Part, None, None]:
        """Yield the parts of an answer, how long it took, or why there is none; one question computes at a time."""
        if not self.computing.acquire(blocking=False):
            yield {"kind": "waiting"}
            self.computing.acquire()
        try:
            began = time.monotonic()
            yield from way.answer(values, folder)
            yield {"kind": "done", "seconds": round(time.monotonic() - began, 3)}
        except zoo.ZooError as error:
            yield _failed(str(error), folder)
        except Exception as error:  # of a plugin's model, whatever it is: the page says it, and can be asked again
            _log.exception("%s cannot be asked so", way.name)
            yield _failed(f"{type(error).__name__}: {error}", folder)
        finally:
            self.computing.release()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "zoo", ""
    timeout = _IDLE_SECONDS
    server: TryServer

    def setup(self) -> None:
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if self._foreign(path):
            return
        if path == "/about":
            self._send(HTTPStatus.OK, json.dumps(self.server.about).encode(), "application/json")
        elif path in _PAGES:
            name, kind = _PAGES[path]
            self._send(HTTPStatus.OK, (files("zoo_try") / "page" / name).read_bytes(), kind)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "nothing is here; open the address that `zoo try` printed")

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        if self._foreign(path):
            return
        way = self.server.ways.get(path.removeprefix("/ask/")) if path.startswith("/ask/") else None
        length = self.headers.get("Content-Length", "")
        if way is None:
            self._refuse(HTTPStatus.NOT_FOUND, "these weights are not asked so; reload the page")
        elif self.headers.get("Content-Type") != _KIND:
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"a question is {_KIND}")
        elif not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a question says how long it is")
        elif len(length) > 12 or int(length) > MOST_BYTES:
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"give at most {MOST_BYTES // 1024**2} MB; `zoo predict` takes more",
            )
        else:
            refused = ""
            with tempfile.TemporaryDirectory(dir=self.server.folder, ignore_cleanup_errors=True) as folder:
                try:
                    self._answer(way, self._received(way, int(length), Path(folder)), Path(folder))
                except zoo.ZooError as error:
                    refused = str(error)
            if refused:
                self._refuse(HTTPStatus.BAD_REQUEST, refused)

    def _received(self, way: Way, length: int, folder: Path) -> dict[str, Any]:
        with zoo.storage_errors("keeping what was sent"), tempfile.TemporaryFile(dir=self.server.folder) as question:
            for start in range(0, length, _PIECE):  # all of it, so that a browser reads what is said of it
                question.write(self.rfile.read(min(_PIECE, length - start)))
            question.seek(0)
            return read_question(question, length, way, folder)

    def _answer(self, way: Way, values: Mapping[str, Any], folder: Path) -> None:
        self.close_connection = True
        self._begin(HTTPStatus.OK, "application/x-ndjson")
        with closing(self.server.answers(way, values, folder)) as parts, suppress(OSError):
            for part in parts:  # until nobody listens any more
                self.wfile.write(json.dumps(part).encode() + b"\n")

    def _foreign(self, path: str) -> bool:
        """Refuse what another site's page might ask, under any name, and of what is not public whoever has no token."""
        host, origin = self.headers.get_all("Host", []), self.headers.get("Origin")
        if len(host) != 1 or host[0] not in self.server.hosts:
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "this server is 127.0.0.1 alone; open the address as printed")
            return True
        if path in _PAGES and self.command == "GET":
            return False
        if origin not in (None, f"http://{host[0]}") or self.headers.get("Sec-Fetch-Site", "none") not in _OWN:
            self._refuse(HTTPStatus.FORBIDDEN, "a page of another site may not ask here")
            return True
        given = self.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, f"Bearer {self.server.token}".encode()):
            self._refuse(
                HTTPStatus.UNAUTHORIZED, "open the address that `zoo try` printed, with all that follows its #"
            )
            return True
        return False

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        """Say why not. What was sent may not have been read: the connection ends."""
        self.close_connection = True
        self._send(status, json.dumps({"error": reason}).encode(), "application/json")

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self._begin(status, kind, {"Content-Length": str(len(content))})
        self.wfile.write(content)

    def _begin(self, status: HTTPStatus, kind: str, more: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **_HEADERS, **(more or {"Connection": "close"})}.items():
            self.send_header(name, value)
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Say what is wrong with a request that http.server itself refuses."""
        self._refuse(HTTPStatus(code), message or HTTPStatus(code).phrase)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Write no log: the terminal is for what the weights say."""


def _failed(reason: str, folder: Path) -> Part:
    return {"kind": "error", "text": reason.replace(f"{folder}/", "")}
