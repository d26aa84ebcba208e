"""A server on loopback that keeps what it is asked, and answers as a function says: a malicious Hub, for one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.loopback import LoopbackServer


@dataclass(frozen=True)
class Asked:
    """One request, its header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def authorization(self) -> str | None:
        return self.headers.get("authorization")


@dataclass(frozen=True)
class Answer:
    """What comes back. Headers are sent as they are, in latin-1."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Answering:
    """A running server. `asked` keeps what came."""

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        self.asked: list[Asked] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                with suppress(OSError):
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    body = self.rfile.read(int(headers.get("content-length", 0)))
                    asked = Asked(self.command, self.path, headers, body)
                    server.asked.append(asked)
                    answer = answer_to(asked)
                    self.send_response(answer.status, "as it is")
                    for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(b"" if self.command == "HEAD" else answer.body)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *arguments: object) -> None:
                pass

        answer_to = answer
        self._server = LoopbackServer(Handler)
        self.port, self.url, self.elsewhere = self._server.server_port, self._server.url, self._server.elsewhere

    @contextmanager
    def running(self) -> Iterator["Answering"]:
        """Answer for the length of the block."""
        with self._server.running():
            yield self

    def by_host(self, name: str) -> list[Asked]:
        """Return what was asked under a name of this server."""
        return [asked for asked in self.asked if asked.headers["host"].startswith(name)]
