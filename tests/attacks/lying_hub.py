"""A Hub that lies: it has one small repo, and answers as it is told to where it is told to."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

from tests.loopback import LoopbackServer

REPO = "org/thing"
COMMIT = "c" * 40
FILES = {"config.json": b"{}", "model.safetensors": b"\x02\0\0\0\0\0\0\0{}", "README.md": b"# Card\n"}


@dataclass(frozen=True)
class Reply:
    """An answer. `raw` stands in the place of status and headers, byte for byte; a body may come in pieces."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Iterable[bytes] = b""
    raw: bytes | None = None


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False, default=b"")

    @property
    def file(self) -> str:
        """Return the name of the file that is asked for."""
        return unquote(urlsplit(self.path).path.partition("/resolve/")[2].partition("/")[2])


Lie = Callable[[Asked], Reply | None]


def json_reply(value: Any, status: int = 200, *headers: tuple[str, str]) -> Reply:
    """Answer with JSON; surrogates stay as they are, escaped."""
    return Reply(status, (("Content-Type", "application/json"), *headers), json.dumps(value).encode())


def listed(path: str, content: bytes, **changes: Any) -> dict[str, Any]:
    """Return a line of a list, as a Hub gives it for a small file."""
    oid = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return {"type": "file", "path": path, "oid": oid, "size": len(content), **changes}


class LyingHub:
    """A running Hub; `asked` keeps what came to it."""

    def __init__(self, lie: Lie = lambda asked: None, files: dict[str, bytes] | None = None) -> None:
        self.lie = lie
        self.files = FILES if files is None else files
        self.asked: list[Asked] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _any(self) -> None:
                with suppress(OSError):
                    hub._serve(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _any

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = LoopbackServer(Handler)
        self.url, self.elsewhere = self._server.url, self._server.elsewhere

    @contextmanager
    def running(self) -> Iterator["LyingHub"]:
        """Answer for the length of the block."""
        with self._server.running():
            yield self

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        asked = Asked(handler.command, handler.path, headers, handler.rfile.read(min(length, 10_000_000)))
        self.asked.append(asked)
        reply = self.lie(asked) or self.truth(asked)
        handler.close_connection = True
        handler.wfile.write(_head(reply) if reply.raw is None else reply.raw)
        if asked.method != "HEAD":
            for piece in [reply.body] if isinstance(reply.body, bytes) else reply.body:
                handler.wfile.write(piece)

    def truth(self, asked: Asked) -> Reply:
        """Answer as an honest Hub does."""
        path = urlsplit(asked.path).path
        if "/resolve/" in path:
            return self._file(asked, self.files.get(asked.file))
        if "/tree/" in path:
            return json_reply([listed(name, content) for name, content in self.files.items()])
        if path == "/api/whoami-v2":
            return json_reply({"name": "org", "type": "user", "orgs": [], "auth": {"accessToken": {"role": "write"}}})
        if path == "/api/repos/create":
            return json_reply({"url": f"{self.url}/{REPO}"})
        if "/preupload/" in path:
            files = json.loads(asked.body)["files"]
            return json_reply(
                {"files": [{"path": item["path"], "uploadMode": "regular", "shouldIgnore": False} for item in files]}
            )
        if "/commit/" in path and asked.method == "POST":
            return json_reply({"success": True, "commitOid": COMMIT, "commitUrl": f"{self.url}/{REPO}/commit/{COMMIT}"})
        if path.endswith("/refs"):
            main = {"name": "main", "ref": "refs/heads/main", "targetCommit": COMMIT}
            return json_reply({"branches": [main], "tags": [], "converts": []})
        if "/commits/" in path:
            date = "2026-01-01T00:00:00.000Z"
            return json_reply([{"id": COMMIT, "title": "x", "message": "", "authors": [], "date": date}])
        if path.startswith(("/api/models/", "/api/datasets/")) and asked.method == "GET":
            siblings = [{"rfilename": name, "size": len(content)} for name, content in self.files.items()]
            return json_reply({"id": REPO, "sha": COMMIT, "private": False, "siblings": siblings, "tags": []})
        return json_reply({"error": "Not found"}, 404)

    def _file(self, asked: Asked, content: bytes | None) -> Reply:
        if content is None:
            return json_reply({"error": "Entry not found"}, 404, ("X-Error-Code", "EntryNotFound"))
        wanted = asked.headers.get("range", "")
        if not wanted.startswith("bytes="):
            return Reply(200, (("ETag", '"x"'), ("X-Repo-Commit", COMMIT)), content)
        start, _, end = wanted.removeprefix("bytes=").partition("-")
        part = content[int(start) : int(end) + 1]
        return Reply(206, (("Content-Range", f"bytes {start}-{int(start) + len(part) - 1}/{len(content)}"),), part)


@contextmanager
def lying_hub(lie: Lie = lambda asked: None, files: dict[str, bytes] | None = None) -> Iterator[LyingHub]:
    """Run a Hub that lies, which the environment takes for one's own: it is shown the token."""
    with LyingHub(lie, files).running() as hub, patch.dict(os.environ, {"HF_ENDPOINT": hub.url}):
        yield hub


def _head(reply: Reply) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} Said", *(f"{name}: {value}" for name, value in reply.headers)]
    if isinstance(reply.body, bytes) and "content-length" not in [name.lower() for name, _ in reply.headers]:
        lines.append(f"Content-Length: {len(reply.body)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("utf-8", "surrogatepass")


def on(where: str, reply: Reply) -> Lie:
    """Give this answer wherever the address has the words in it."""
    return lambda asked: reply if where in asked.path else None
