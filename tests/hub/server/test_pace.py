"""Clients that ask and do not read the answer: the server closes their connections, and others get in again."""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, constants
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from zoo.hub.server import sending
from zoo.hub.server.options import Limits, Options
from zoo.hub.server.pace import Pace
from zoo.hub.server.serving import serve_folder

LARGE = 24 * 1024 * 1024  # more than the kernel takes at once
READERS = 4
GET = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Serve a Hub with a file of 24 MiB to a few clients at once."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with serve_folder(tmp_path / "hub") as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        api.create_repo("org/thing")
        operations = [CommitOperationAdd("large.bin", os.urandom(1024) * (LARGE // 1024))]
        api.create_commit("org/thing", operations, commit_message="large")
    limits = Limits(max_connections=READERS + 1, idle_seconds=0.3)
    with serve_folder(tmp_path / "hub", options=Options(limits=limits)) as hub:
        yield hub


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Return the clients' ports of connections that the server has closed."""
    ports: set[int] = set()
    lost = HttpToolsProtocol.connection_lost

    def noted(self: HttpToolsProtocol, error: Exception | None) -> None:
        assert self.client is not None
        ports.add(self.client[1])
        lost(self, error)

    monkeypatch.setattr(HttpToolsProtocol, "connection_lost", noted)
    return ports


def asked(hub: Any, *requests: bytes) -> socket.socket:
    parts = urlsplit(hub.url)
    stream = socket.socket()
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stream.settimeout(20)
    stream.connect((parts.hostname, parts.port))
    for request in requests:
        stream.sendall(request)
    return stream


def healthy(hub: Any) -> bool:
    connection = http.client.HTTPConnection(str(urlsplit(hub.url).netloc), timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def read_all(stream: socket.socket) -> int:
    """Return how many bytes come before the end, which may be a reset."""
    total = 0
    try:
        while piece := stream.recv(1 << 20):
            total += len(piece)
    except ConnectionResetError:
        pass
    return total


def stall(hub: Any, closed: set[int], *requests: bytes) -> None:
    """Take every place of the Hub, read nothing, and see that the places become free while nobody hangs up."""
    with ExitStack() as stack:
        stalled = []
        for _ in range(READERS):
            stalled.append(stack.enter_context(asked(hub, *requests)))
            assert stalled[-1].recv(12, socket.MSG_PEEK) == b"HTTP/1.1 200"
        ports = {stream.getsockname()[1] for stream in stalled}
        assert wait_for(lambda: ports <= closed)
        assert wait_for(lambda: healthy(hub))
        read = [read_all(stream) for stream in stalled]
        assert min(read) > 10_000 and max(read) < LARGE


def test_125_downloads_that_nobody_reads_give_their_places_back(hub: Any, closed: set[int]) -> None:
    stall(hub, closed, GET % b"/org/thing/resolve/main/large.bin")


def test_125_downloads_without_sendfile_that_nobody_reads(
    hub: Any, closed: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_can_sendfile", lambda *_: False)
    stall(hub, closed, GET % b"/org/thing/resolve/main/large.bin")


def test_125_answers_that_nobody_reads(hub: Any, closed: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.hub.server import routes_trees

    entries = [{"name": "x" * 1000}] * (LARGE // 1000)
    monkeypatch.setattr(routes_trees, "commit_infos", lambda _: entries)
    stall(hub, closed, GET % b"/api/models/org/thing/commits/main")
    stall(
        hub,
        closed,
        (GET % b"/api/models/org/thing/commits/main").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    )


def test_125_many_small_answers_that_nobody_reads(hub: Any, closed: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.hub.server import routes_trees

    monkeypatch.setattr(routes_trees, "commit_infos", lambda _: [{"name": "x" * 1_000_000}])
    stall(hub, closed, (GET % b"/api/models/org/thing/commits/main") * 20)


def test_readers_that_read_slowly_get_everything(hub: Any) -> None:
    with asked(hub, GET % b"/org/thing/resolve/main/large.bin") as stream:
        total, answer = 0, b""
        while b"\r\n\r\n" not in answer:
            answer += stream.recv(1000)
        total = len(answer.partition(b"\r\n\r\n")[2])
        start = time.monotonic()
        while total < LARGE:
            piece = stream.recv(256 * 1024)
            assert piece, "the server hung up on a client that reads"
            total += len(piece)
            if total < LARGE // 8 and time.monotonic() - start < 2:  # for longer than the server's patience
                time.sleep(0.1)
    assert total == LARGE


def test_an_upload_is_answered_after_a_download_on_the_same_connection(hub: Any) -> None:
    connection = http.client.HTTPConnection(str(urlsplit(hub.url).netloc), timeout=10)
    for _ in range(3):
        connection.request("GET", "/org/thing/resolve/main/large.bin", headers={"Range": "bytes=100-2000099"})
        assert len(connection.getresponse().read()) == 2_000_000
        connection.request("POST", "/api/validate-yaml", json.dumps({"content": "a: b"}))
        connection.getresponse().read()
        connection.request("HEAD", "/org/thing/resolve/main/large.bin")
        assert connection.getresponse().read() == b""
    connection.close()


def test_a_file_that_is_shorter_than_the_store_says_breaks_the_connection(hub: Any) -> None:
    (blob,) = (path for path in (hub.folder / "blobs").rglob("*") if path.is_file())
    os.chmod(blob, 0o600)
    os.truncate(blob, 1000)
    with asked(hub, GET % b"/org/thing/resolve/main/large.bin") as stream:
        assert 0 < read_all(stream) < 10_000
    assert healthy(hub)


def test_a_pace_is_an_idle_time_and_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    pace = Pace(60)
    assert pace.seconds() == 60
    now += 50
    assert pace.seconds() == 10
    pace.add(1024 * 1024)
    assert pace.seconds() == 60
    now += 1100
    assert pace.seconds() < 0


def test_125_stalled_downloads_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil
    import ssl

    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
        + ["-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    limits = Limits(max_connections=READERS + 1, idle_seconds=0.3)
    options = Options(limits=limits, certificate=certificate, key=key)
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    with serve_folder(tmp_path / "hub", options=options) as hub:
        port = urlsplit(hub.url).port

        def request(method: str, path: str, body: Any = None) -> tuple[int, bytes]:
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
            try:
                connection.request(method, path, body, {"Authorization": f"Bearer {hub.token}"})
                response = connection.getresponse()
                return response.status, response.read()
            finally:
                connection.close()

        assert request("POST", "/api/repos/create", json.dumps({"name": "org/thing"}))[0] == 200
        from zoo.hub.server import routes_trees

        monkeypatch.setattr(routes_trees, "commit_infos", lambda _: [{"name": "x" * LARGE}])
        stalled = []
        for _ in range(READERS):
            stream = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=20))
            stream.sendall((GET % b"/api/models/org/thing/commits/main") * 2)
            assert stream.recv(12) == b"HTTP/1.1 200"
            stalled.append(stream)

        def answered() -> bool:
            try:
                return request("GET", "/healthz")[0] == 200
            except (OSError, http.client.HTTPException):
                return False

        assert wait_for(answered)
        for stream in stalled:
            stream.close()
