"""Who may ask, how much, and one question after the other."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from try_pages import Page, question, serving
from zoo_try.command import _has_screen
from zoo_try.fields import Field
from zoo_try.parts import text
from zoo_try.question import MOST_BYTES, safe_name
from zoo_try.server import TryServer
from zoo_try.ways import Way

import zoo

FIELDS = (
    Field(name="text", label="Text", kind="text"),
    Field(name="count", label="Count", kind="integer"),
    Field(name="rate", label="Rate", kind="number"),
    Field(name="all", label="All", kind="flag"),
    Field(name="files", label="Files", kind="files", suffixes=(".txt",)),
)


def echo(values: Any, folder: Path) -> Iterator[Any]:
    yield text(json.dumps({**values, "files": [[path.name, path.read_text()] for path in values.get("files", ())]}))


@pytest.fixture
def page() -> Iterator[Page]:
    with serving([Way(name="echo", title="Echo", fields=FIELDS, answer=echo)]) as served:
        yield served


def said(found: tuple[int, dict[str, str], bytes]) -> tuple[int, str]:
    return found[0], json.loads(found[2])["error"]


def test_the_page_asks_nothing_of_anybody_else(page: Page) -> None:
    for path, kind in (("/", "text/html"), ("/page.js", "text/javascript"), ("/answer.js", "text/javascript")):
        status, headers, content = page.send("GET", path, Authorization=None)
        assert status == 200 and headers["Content-Type"].startswith(kind)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in headers["Content-Security-Policy"] and headers["Referrer-Policy"] == "no-referrer"
        assert b"://" not in content and b"innerHTML" not in content and page.server.token.encode() not in content
    assert page.server.server_address[0] == "127.0.0.1" and page.url.partition("#")[2] == page.server.token
    assert len(page.server.token) >= 32


@pytest.mark.parametrize("given", [None, "Bearer ", "Bearer wrong", "Basic wrong", "Bearer t\xf6ken"])
def test_nothing_is_said_without_the_token(given: str | None, page: Page) -> None:
    for method, path in (("GET", "/about"), ("POST", "/ask/echo")):
        status, reason = said(page.send(method, path, question({}, {}), Authorization=given))
        assert status == 401 and "open the address that `zoo try` printed" in reason


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1.evil.example:{port}", ""]
)
def test_names_that_are_bound_to_this_machine_from_outside_are_refused(host: str, page: Page) -> None:
    for method, path in (("GET", "/"), ("GET", "/about"), ("POST", "/ask/echo")):
        status, reason = said(page.send(method, path, question({}, {}), Host=host.format(port=page.port)))
        assert (status, reason) == (421, "this server is 127.0.0.1 alone; open the address as printed")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_pages_of_other_sites_are_refused(headers: dict[str, str], page: Page) -> None:
    for method, path in (("GET", "/about"), ("POST", "/ask/echo")):
        assert said(page.send(method, path, question({}, {}), **headers))[0] == 403


def test_its_own_page_is_answered_under_both_names(page: Page) -> None:
    for name in ("127.0.0.1", "localhost"):
        host = f"{name}:{page.port}"
        status, _, content = page.send(
            "GET", "/about", Host=host, Origin=f"http://{host}", Sec_Fetch_Site="same-origin"
        )
        assert status == 200 and json.loads(content)["ways"][0]["name"] == "echo"


def test_no_other_site_may_ask_before_it_asks(page: Page) -> None:
    status, headers, _ = page.send("OPTIONS", "/ask/echo", Origin="http://evil.example", Authorization=None)
    assert status == 501 and not [name for name in headers if name.lower().startswith("access-control")]


def test_a_form_of_another_site_cannot_send_this_kind(page: Page) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None):
        assert said(page.send("POST", "/ask/echo", question({}, {}), Content_Type=kind))[0] == 415


@pytest.mark.parametrize(
    ("length", "status"), [("x", 411), ("-1", 411), ("١", 411), (str(MOST_BYTES + 1), 413), ("9" * 30, 413)]
)
def test_questions_are_bounded_before_they_are_read(length: str, status: int, page: Page) -> None:
    with socket.create_connection(("127.0.0.1", page.port), timeout=30) as connection:
        head = (
            f"POST /ask/echo HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nAuthorization: Bearer {page.server.token}\r\n"
        )
        head += f"Content-Type: application/x-zoo-question\r\nContent-Length: {length}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(99).startswith(f"HTTP/1.1 {status} ".encode())


def test_values_and_files_arrive_as_they_were(page: Page) -> None:
    found, done = page.ask("echo", {"a.txt": b"one", "../../b.TXT": b"two"}, text=" é\n", count=3, rate=0.5, all=True)
    wanted = {"text": " é\n", "count": 3, "rate": 0.5, "all": True, "files": [["a.txt", "one"], ["b.TXT", "two"]]}
    assert json.loads(found["text"]) == wanted and done["kind"] == "done"
    found, _ = page.ask("echo", {"a.txt": b"one", "x/a.txt": b"two"}, text="", all=False)
    assert json.loads(found["text"]) == {"files": [["a.txt", "one"], ["2-a.txt", "two"]]}
    assert list(page.server.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"count": 1.5}, "Count is '1.5'; give a whole number"),
        ({"count": True}, "Count is 'True'; give a whole number"),
        ({"count": 2**63}, "give a whole number"),
        ({"rate": "fast"}, "Rate is 'fast'; give a number"),
        ({"all": 1}, "All is '1'; give yes or no"),
        ({"text": ["a"]}, "give a text"),
        ({"text": "a" * 100_001}, "Text has 100,001 characters; give at most 100,000"),
        ({"other": 1}, "'other' is not asked here; reload the page"),
    ],
)
def test_values_that_no_field_can_have(values: dict[str, Any], reason: str, page: Page) -> None:
    (refused,) = page.ask("echo", **values)
    assert refused["status"] == 400 and reason in refused["text"]


def test_a_path_that_is_typed_is_no_file(page: Page) -> None:
    _, _, content = page.send("POST", "/ask/echo", question({}, {"files": "/etc/passwd"}))
    assert json.loads(json.loads(content.split(b"\n")[0])["text"]) == {"files": []}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n",
        b"no json\n",
        b'{"values": {}, "files": [{"name": "a.txt", "bytes": 9}]}\nshort',
        b'{"values": {}, "files": [{"name": "a.txt", "bytes": -1}]}\n',
        b'{"values": {}, "files": [{"name": "a.txt"}]}\n',
        b'{"values": {}, "files": [{"name": "a.exe", "bytes": 0}]}\n',
        b'{"values": {}, "files": []}\nmore',
        b'{"values": {"rate": NaN}, "files": []}\n',
        b'{"values": ' + b"[" * 99 + b"]" * 99 + b', "files": []}\n',
        question({f"{place}.txt": b"" for place in range(17)}, {}),
        b"x" * 2_000_000,
    ],
)
def test_questions_that_are_none(body: bytes, page: Page) -> None:
    assert said(page.send("POST", "/ask/echo", body))[0] == 400
    assert page.ask("echo", text="a")[-1]["kind"] == "done" and list(page.server.folder.iterdir()) == []


@pytest.mark.parametrize("path", ["/ask/other", "/ask/", "/about", "/../page.py", "/page.js"])
def test_addresses_that_are_none(path: str, page: Page) -> None:
    assert said(page.send("POST", path, question({}, {})))[0] == 404
    assert page.send("GET", f"{path}x")[0] == 404


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a b.png", "a_b.png"),
        ("..", "file"),
        ("C:\\x\\..\\é.png", "é.png"),
        ("-rf.png", "rf.png"),
        ("a\x00\n.png", "a_.png"),
    ],
)
def test_names_of_files_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe
    assert safe_name("a" * 500 + ".png") == "a" * 76 + ".png"


class Watched:
    """A lock that counts whom it made wait."""

    def __init__(self) -> None:
        self.lock, self.waiting = threading.Lock(), threading.Semaphore(0)

    def acquire(self, blocking: bool = True) -> bool:
        if self.lock.acquire(blocking=False):
            return True
        if not blocking:
            self.waiting.release()
        return blocking and self.lock.acquire()

    def release(self) -> None:
        self.lock.release()


def test_one_question_computes_at_a_time() -> None:
    goes_on, inside, most = threading.Event(), [0], [0]

    def slow(values: Any, folder: Path) -> Iterator[Any]:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        assert goes_on.wait(30)
        inside[0] -= 1
        yield text("done")

    with serving([Way(name="slow", title="Slow", fields=(), answer=slow)]) as served:
        watched = served.server.computing = Watched()  # type: ignore[assignment]
        found: list[Any] = []
        threads = [threading.Thread(target=lambda: found.append(served.ask("slow"))) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert all(watched.waiting.acquire(timeout=30) for _ in range(2))
        goes_on.set()
        for thread in threads:
            thread.join()
    assert most == [1] and sorted(len(parts) for parts in found) == [2, 3, 3]


def test_whoever_goes_away_ends_the_answer() -> None:
    ended = threading.Event()

    def endless(values: Any, folder: Path) -> Iterator[Any]:
        try:
            while True:
                yield text("x" * 10_000)
        finally:
            ended.set()

    with serving([Way(name="endless", title="Endless", fields=(), answer=endless)]) as served:
        body = question({}, {})
        with socket.create_connection(("127.0.0.1", served.port)) as connection:
            head = f"POST /ask/endless HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Length: {len(body)}\r\n"
            head += f"Authorization: Bearer {served.server.token}\r\nContent-Type: application/x-zoo-question\r\n\r\n"
            connection.sendall(head.encode() + body)
            assert connection.recv(10)
        assert ended.wait(30)


def test_a_model_that_fails_is_told_and_can_be_asked_again(page: Page, caplog: Any) -> None:
    def failing(values: Any, folder: Path) -> Iterator[Any]:
        if values:
            raise ValueError(f"{folder}/a.png is odd")
        yield text("well")

    fields = (Field(name="text", label="Text", kind="word"),)
    with serving([Way(name="failing", title="Failing", fields=fields, answer=failing)]) as served:
        assert served.ask("failing", text="a") == [{"kind": "error", "text": "ValueError: a.png is odd"}]
        assert served.ask("failing")[-1]["kind"] == "done"


def test_too_many_connections_are_closed(page: Page) -> None:
    opened = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(16)]
    try:
        last = socket.create_connection(("127.0.0.1", page.port), timeout=30)
        opened.append(last)
        assert last.recv(1) == b""
    finally:
        for connection in opened:
            connection.close()


def test_a_port_that_is_taken(page: Page) -> None:
    with pytest.raises(zoo.NetworkError, match=f"port {page.port} is not available: .*; choose another --port"):
        TryServer({}, [], page.port)


def test_a_browser_is_opened_where_there_is_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert not _has_screen()
    monkeypatch.setenv("DISPLAY", ":0")
    assert _has_screen()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_stops_with_its_command(number: int, code: int, weights: Callable[[str], Path], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "zoo", "try", str(weights("image-classification")), "--no-browser"]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url, _, token = line.partition(" can be tried at ")[2].split()[0].partition("/#")
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(
                f"GET /about HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
            )
            assert connection.recv(99).startswith(b"HTTP/1.1 200 ")
            assert [path.name for path in tmp_path.iterdir() if path.name.startswith("zoo-try-")]
            process.send_signal(number)
            assert process.wait(60) == code
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("zoo-try-")]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
