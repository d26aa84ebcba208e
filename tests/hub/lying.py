"""A Hub of its own on loopback that lists whatever it is told to, and gives whatever it lists."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40
EXAMPLES = int(os.environ.get("ZOO_OUTSIDE_NAMES", "150"))
"""How many lists of names, and revisions, are tried."""
GOOD = {"config.json": b"{}", "README.md": b"# Thing\n"}


class LyingHub:
    """Its one repo is org/thing, whose every revision is the same commit."""

    def __init__(self) -> None:
        self.files: Mapping[str, bytes] = {}
        self.commit = COMMIT
        self.tags: list[str] = []
        self.asked: list[str] = []
        self.url = ""

    def listing(self) -> list[dict[str, Any]]:
        """Return the tree as the Hub's API has it; all files are regular ones of git."""
        return [
            {"type": "file", "path": name, "size": len(content), "oid": git_id(content)}
            for name, content in self.files.items()
        ]

    def answer(self, address: str) -> bytes | None:
        """Return the body for an address, None where there is nothing."""
        match unquote(urlsplit(address).path).split("/")[1:]:
            case ["api", _, "org", "thing"] | ["api", _, "org", "thing", "revision", *_]:
                siblings = [{"rfilename": name} for name in self.files]
                values = {"id": "org/thing", "sha": self.commit, "private": False, "siblings": siblings}
                return json.dumps(values).encode()
            case ["api", _, "org", "thing", "tree", *_]:
                return json.dumps(self.listing()).encode()
            case ["api", _, "org", "thing", "refs"]:
                tags = [{"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": self.commit} for tag in self.tags]
                return json.dumps({"branches": [], "converts": [], "tags": tags}).encode()
            case ["api", _, "org", "thing", "commits", *_]:
                return b"[]"
        return self.files.get(unquote(urlsplit(address).path.partition("/resolve/")[2].partition("/")[2]))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave at once
    hub: LyingHub

    def do_GET(self) -> None:
        """Answer with what the Hub says."""
        self.hub.asked.append(self.path)
        body = self.hub.answer(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def git_id(content: bytes) -> str:
    """Return the id that git gives to a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def lying_hub() -> Iterator[LyingHub]:
    """Serve a Hub for the length of the block."""
    hub = LyingHub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        hub.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()


def tree(folder: Path, *, but: tuple[Path, ...] = ()) -> dict[str, str | bytes]:
    """Return all that lies below a folder, with what is in it."""
    found: dict[str, str | bytes] = {}
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if Path(path, name) not in but]
        for name in [*folders, *files]:
            place = Path(path, name)
            found[str(place)] = (
                os.readlink(place) if place.is_symlink() else place.read_bytes() if name in files else ""
            )
    return found


def registry(folder: Path, revision: str, file: str = "config.json") -> Path:
    """Write a registry with one entry, whose one file has another hash than the Hub's."""
    files = {file: {"sha256": "a" * 64, "size": 2}}
    entry = {"repo": "org/thing", "revision": revision, "files": files, "plugin": "p", "task": "t", "license": "mit"}
    path = folder / "registry.json"
    path.write_text(json.dumps({"schema_version": 1, "weights": {"net.a": entry}}))
    return path
