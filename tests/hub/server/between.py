"""What lies between a Hub and its upstream: it passes requests on, counts them, and cuts, holds, lies, redirects."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Between:
    """What it was asked for, and what it does to the answers."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.url = ""
        self.port = 0
        self.asked: list[tuple[str, int]] = []
        self.tokens: set[str | None] = set()
        self.redirected_tokens: set[str | None] = set()
        self.down = False
        self.ranges = True
        self.cuts: list[int] = []
        self.lies: list[bytes] = []
        self.limit = ""
        self.redirect = ""
        self.words: dict[str, str] = {}
        self.hold_after: int | None = None
        self.holds = False
        self._released = threading.Event()

    def count(self, part: str) -> int:
        """Return how many requests had this in their address."""
        return sum(part in path for path, _ in self.asked)

    def sent(self, part: str) -> int:
        """Return how many bytes went out for such requests."""
        return sum(size for path, size in self.asked if part in path)

    def release(self) -> None:
        """Send what is held."""
        self._released.set()

    def wait(self) -> None:
        """Wait until what is held may go."""
        self.holds = True
        self._released.wait(30)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    line: Between

    def do_GET(self) -> None:
        """Pass a request on."""
        line = self.line
        if line.down:
            self.close_connection = True
            return
        redirected = self.path.startswith("/signed")
        path = self.path.removeprefix("/signed")
        (line.redirected_tokens if redirected else line.tokens).add(self.headers.get("Authorization"))
        number = len(line.asked)
        line.asked.append((path, 0))
        file = "/resolve/" in path
        if line.limit:
            self._answer(429, {"Retry-After": line.limit}, b"{}")
            return
        if file and line.redirect and not redirected:
            headers = {"Location": f"{line.redirect}/signed{path}", "X-Xet-Hash": "ab" * 32, "X-Linked-Etag": '"x"'}
            self._answer(302, headers, b"")
            return
        passed = path
        for word, name in line.words.items():
            passed = passed.replace(f"/models/{word}", f"/models/{name}")
        status, headers, body = self._passed(passed, file)
        if file and status == 200 and line.lies:
            body = line.lies.pop(0)
            headers["Content-Length"] = str(len(body))
        cut = line.cuts.pop(0) if file and line.cuts else len(body)
        self._head(status, headers, len(body))
        hold = line.hold_after if file and line.hold_after is not None else cut
        self.wfile.write(body[: min(hold, cut)])
        self.wfile.flush()
        if hold < cut:
            line.wait()
            self.wfile.write(body[hold:cut])
        line.asked[number] = path, min(cut, len(body))
        if cut < len(body):
            self.close_connection = True

    def _passed(self, path: str, file: bool) -> tuple[int, dict[str, str], bytes]:
        names = ["Authorization", "Accept", *(["Range"] if self.line.ranges else [])]
        headers = {name: self.headers[name] for name in names if name in self.headers}
        with closing(http.client.HTTPConnection(str(urlsplit(self.line.upstream).netloc), timeout=20)) as connection:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            passed = {
                key.title(): value
                for key, value in answer.getheaders()
                if key.lower() not in ("date", "content-length", "server")
            }
            if "Location" in passed:
                passed["Location"] = passed["Location"].replace(self.line.upstream, self.line.url)
            return answer.status, passed, answer.read()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self._head(status, headers, len(body))
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str], length: int) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that went away: those of a server that was killed do."""


@contextmanager
def between(upstream: str) -> Iterator[Between]:
    """Serve what lies before an upstream for the length of the block."""
    line = Between(upstream)
    handler = type("Handler", (_Handler,), {"line": line})
    with _Server(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        line.port = server.server_port
        line.url = f"http://127.0.0.1:{line.port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield line
        finally:
            line.release()
            server.shutdown()
            thread.join()
