"""Ways to ask behind a page that answers on loopback, from a thread."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo_try.server import TryServer
from zoo_try.ways import Way, ways_of

import zoo


class Page:
    """A page that is served, and what its script sends."""

    def __init__(self, server: TryServer) -> None:
        self.server, self.url, self.port = server, server.url, server.server_port

    def send(
        self, method: str, path: str, body: bytes = b"", **headers: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body; headers that are None are left out."""
        sent = {
            "Authorization": f"Bearer {self.server.token}",
            "Content_Type": "application/x-zoo-question" if method == "POST" else None,
            **headers,
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in sent.items() if value is not None}
        connection.putrequest(method, path, skip_host="Host" in named, skip_accept_encoding=True)
        if method == "POST" and "Content-Length" not in named:
            named["Content-Length"] = str(len(body))
        for name, value in named.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        with connection.getresponse() as answer:
            found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    def ask(self, way: str, files: dict[str, bytes] | None = None, **values: Any) -> list[dict[str, Any]]:
        """Return the parts of an answer, the last of them how long it took, or why there is none."""
        status, _, content = self.send("POST", f"/ask/{way}", question(files or {}, values))
        if status != 200:
            return [{"kind": "refused", "status": status, "text": json.loads(content)["error"]}]
        return [json.loads(line) for line in content.split(b"\n")[:-1]]


def question(files: dict[str, bytes], values: dict[str, Any]) -> bytes:
    listed = [{"name": name, "bytes": len(content)} for name, content in files.items()]
    return json.dumps({"values": values, "files": listed}).encode() + b"\n" + b"".join(files.values())


@contextmanager
def serving(ways: list[Way], **about: str) -> Iterator[Page]:
    server = TryServer({"weights": "w", "architecture": "a", "task": "t", **about}, ways)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Page(server)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def page_of(weights: Path) -> Any:
    """Serve weights as the command does."""
    known = zoo.describe(weights)
    about = {"weights": weights.name, "architecture": known.architecture, "task": known.task}
    return serving(ways_of(zoo.load(weights), weights, known), **about)
