"""A proxy on loopback between a client and a Hub that cuts, stalls, flips, lies and misleads, as a plan tells it to."""

import gzip
import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.loopback import LoopbackServer

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass(frozen=True)
class Ask:
    """One request: its path, its Range, and how many like it came before."""

    path: str
    range: str | None
    count: int
    headers: dict[str, str] = field(repr=False)

    @property
    def is_file(self) -> bool:
        """Tell whether bytes of a file are asked for, and not a list."""
        return "/resolve/" in self.path


@dataclass(frozen=True)
class Fault:
    """What goes wrong. `at` is where in the body, as a share of it; `value` what the kind needs."""

    kind: str
    at: float = 0.5
    value: str = ""


Plan = Callable[[Ask], Fault | None]

KINDS = (
    "cut", "stall", "flip", "drop", "garbage", "status", "other_start", "no_range", "416", "short_length",
    "long_length", "longer", "etag", "gzip", "trickle", "loop", "away", "not_json",
)  # fmt: skip


class FaultProxy:
    """A running proxy. `asked` keeps what came; `sent` counts the bytes of files that went out."""

    def __init__(self, upstream: str, plan: Plan) -> None:
        self.plan = plan
        self.asked: list[Ask] = []
        self.sent = 0
        self._upstream = urlsplit(upstream)
        self._counts: Counter[tuple[str, str | None]] = Counter()
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                with suppress(OSError):
                    proxy._answer(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = LoopbackServer(Handler)
        self.url, self.elsewhere = self._server.url, self._server.elsewhere

    @contextmanager
    def running(self) -> Iterator["FaultProxy"]:
        """Answer for the length of the block."""
        with self._server.running():
            yield self

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        key = (handler.path, handler.headers.get("range"))
        with self._lock:
            ask = Ask(*key, self._counts[key], {name.lower(): value for name, value in handler.headers.items()})
            self._counts[key] += 1
            self.asked.append(ask)
        fault = self.plan(ask)
        kind = fault.kind if fault else ""
        handler.close_connection = True
        if kind == "drop":
            return
        if kind == "garbage":
            handler.wfile.write(random.Random(ask.path).randbytes(200))
            return
        if fault and kind == "status":
            status, _, retry = fault.value.partition(" ")
            self._reply(handler, int(status), {"Retry-After": retry} if retry else {}, b"no")
            return
        if kind == "416":
            self._reply(handler, 416, {"Content-Range": "bytes */1"}, b"")
            return
        if fault and kind == "loop":
            self._reply(handler, 302, {"Location": fault.value or handler.path}, b"")
            return
        if fault and kind == "away" and handler.headers.get("host", "").startswith("127.0.0.1"):
            self._reply(handler, 302, {"Location": fault.value or self.elsewhere + handler.path}, b"")
            return
        self._forward(handler, ask, fault)

    def _forward(self, handler: BaseHTTPRequestHandler, ask: Ask, fault: Fault | None) -> None:
        upstream = http.client.HTTPConnection(str(self._upstream.hostname), self._upstream.port, timeout=30)
        names = (
            ("authorization", "range", "user-agent") if not fault or fault.kind != "no_range" else ("authorization",)
        )
        upstream.request("GET", ask.path, headers={name: ask.headers[name] for name in names if name in ask.headers})
        try:
            response = upstream.getresponse()
            headers = {
                key: value.replace(self._upstream.geturl(), self.url)  # links to further pages lead back to here
                for key, value in response.getheaders()
                if key.lower() not in HOP_BY_HOP
            }
            if fault is None:
                self._pass_on(handler, ask, response, headers)
            else:
                self._spoil(handler, ask, fault, response.status, headers, response.read())
        finally:
            upstream.close()

    def _pass_on(
        self, handler: BaseHTTPRequestHandler, ask: Ask, response: http.client.HTTPResponse, headers: dict[str, str]
    ) -> None:
        handler.close_connection = False
        length = response.getheader("content-length")
        self._head(handler, response.status, {**headers, "Content-Length": str(length)})
        while chunk := response.read(256 * 1024):
            self._send(handler, ask, chunk)

    def _spoil(
        self,
        handler: BaseHTTPRequestHandler,
        ask: Ask,
        fault: Fault,
        status: int,
        headers: dict[str, str],
        body: bytes,
    ) -> None:
        place = min(int(len(body) * fault.at), max(len(body) - 1, 0))
        length = len(body)
        match fault.kind:
            case "flip" if body:
                body = body[:place] + bytes([body[place] ^ (1 << (place % 8))]) + body[place + 1 :]
            case "other_start" if "Content-Range" in headers or "content-range" in headers:
                headers = {key: value for key, value in headers.items() if key.lower() != "content-range"}
                headers["Content-Range"] = f"bytes 7-{6 + length}/{length + 7}"
            case "short_length":
                length = place
            case "long_length":
                length += 1000
            case "longer":
                body, length = body + b"x" * 1000, length + 1000
            case "etag":
                headers = {key: value for key, value in headers.items() if "etag" not in key.lower()}
                if fault.value:
                    headers["ETag"] = fault.value
            case "gzip":
                body = gzip.compress(body)
                length, headers = len(body), {**headers, "Content-Encoding": "gzip"}
            case "not_json" if not ask.is_file:
                body, length = b"<html>", 6
        self._head(handler, status, {**headers, "Content-Length": str(length)})
        if fault.kind in ("cut", "stall"):
            body = body[:place]
        if fault.kind == "trickle":
            for byte in body:
                self._send(handler, ask, bytes([byte]))
                time.sleep(float(fault.value or 0.05))
        self._send(handler, ask, body)
        if fault.kind == "stall":
            time.sleep(float(fault.value or 1.0))

    def _reply(self, handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
        self._head(handler, status, {**headers, "Content-Length": str(len(body))})
        handler.wfile.write(body)

    def _head(self, handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
        handler.send_response_only(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if handler.close_connection:
            handler.send_header("Connection", "close")
        handler.end_headers()

    def _send(self, handler: BaseHTTPRequestHandler, ask: Ask, data: bytes) -> None:
        handler.wfile.write(data)
        if ask.is_file:
            with self._lock:
                self.sent += len(data)


def no_faults(ask: Ask) -> None:
    """Let everything pass."""


def for_files(fault: Fault, *, times: int | None = None) -> Plan:
    """Spoil the first so many requests of each part of a file, or all of them."""
    return lambda ask: fault if ask.is_file and (times is None or ask.count < times) else None


def random_plan(seed: int) -> Plan:
    """Return the schedule of a seed: what happens to a request follows from the seed and the request alone."""
    choice = random.Random(f"plan {seed}")
    share = choice.choice([0.02, 0.1, 0.3, 0.6, 1.0])
    kinds = choice.sample(KINDS, choice.randint(1, len(KINDS)))

    def plan(ask: Ask) -> Fault | None:
        draw = random.Random(f"{seed} {ask.path} {ask.range} {ask.count}")
        if draw.random() >= share:
            return None
        kind = draw.choice(kinds)
        statuses = ["400", "401", "403", "404", "408", "429", "429 0", "429 1000000000", "500", "502", "503 1", "504"]
        value = {"status": draw.choice(statuses), "etag": draw.choice(["", 'W/"x"', '"0"'])}.get(kind, "")
        return Fault(kind, draw.random(), value)

    return plan
