"""What a request may have besides its body: counted is what the server takes before it hangs up."""

import itertools
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

PIECE = 64 * 1024
MOST = 8 * PIECE  # the server reads in pieces of up to four
POST = b"POST /api/repos/create HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = b'10\r\n{"name": "thing"\r\n1\r\n}\r\n'
GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of how many bytes the server's parser was given, each time."""
    taken: list[int] = []
    receive = HttpToolsProtocol.data_received

    def counted(self: HttpToolsProtocol, data: bytes) -> None:
        taken.append(len(data))
        receive(self, data)

    monkeypatch.setattr(HttpToolsProtocol, "data_received", counted)
    return taken


def connected(hub: Any) -> socket.socket:
    parts = urlsplit(hub.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


def sent_until_closed(hub: Any, *pieces: bytes) -> bytes:
    """Send pieces, the last one over and over, and return what the server answered; it must not take 64 MiB."""
    *first, last = pieces
    with connected(hub) as stream:
        try:
            for piece in (*first, *itertools.repeat(last * (PIECE // len(last) + 1), 1024)):
                stream.sendall(piece)
        except OSError:
            try:
                return stream.recv(PIECE)
            except OSError:
                return b""
    raise AssertionError("an endless request was read on")


@pytest.mark.parametrize(
    ("start", "endless"),
    [
        (CHUNKED + BODY + b"0\r\n", b"X-Trailer: some\r\n"),
        (CHUNKED + BODY + b"0\r\nX-Trailer: ", b"x"),
        (CHUNKED + BODY + b"0\r\n", b"X-Long: " + b"x" * 60_000 + b"\r\n"),
        (CHUNKED + BODY + b"1;", b"x"),
        (CHUNKED + BODY + b"1", b"1"),
        (CHUNKED, b"1\r\n \r\n"),
        (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: some\r\n"),
        (GET, b"a:\r\n"),
        (GET + b"X-Long: ", b"x"),
        (b"GET /", b"x"),
        (GET + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", b"x"),
        (b"", GET + b"\r\n"),
    ],
    ids="trailers one-trailer long-trailers extension size chunks get headers one-header address upgrade "
    "pipelined".split(),
)
def test_125_trailers_without_end(served_hub: Any, taken: list[int], start: bytes, endless: bytes) -> None:
    start = start.replace(b"%s", served_hub.token.encode())
    sent_until_closed(served_hub, start, endless)
    assert 0 < sum(taken) <= MOST


def test_125_one_chunk_of_bytes_each_is_bounded_by_the_body(served_hub: Any, taken: list[int]) -> None:
    """A body in tiny chunks is refused, and one in small chunks that is as long is read."""
    head = CHUNKED.replace(b"%s", served_hub.token.encode())
    answer = sent_until_closed(served_hub, head, b"1\r\n \r\n")
    assert b" 400 " in answer or answer == b""
    content = b'{"name": "thing"}' + b" " * 4_000_000
    with connected(served_hub) as stream:
        pieces = (content[at : at + 128] for at in range(0, len(content), 128))
        stream.sendall(head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n")
        assert stream.recv(1000).startswith(b"HTTP/1.1 200 ")


def requests(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield GET + b"X-Number: %d\r\n" % number + b"\r\n"


def answered(stream: socket.socket, count: int) -> bool:
    """Tell whether so many requests are answered before the connection ends."""
    answers = b""
    while answers.count(b"HTTP/1.1 200 ") < count:
        if not (piece := stream.recv(PIECE)):
            return False
        answers += piece
    return True


def test_trailers_and_headers_that_clients_send_are_read(served_hub: Any) -> None:
    many = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 100) for number in range(200))
    with connected(served_hub) as stream:
        token = served_hub.token.encode()
        stream.sendall(CHUNKED.replace(b"%s", token) + BODY + b"0\r\nX-Checksum: 1\r\nX-Other: 2\r\n\r\n")
        stream.sendall(GET + many + b"\r\n")
        assert answered(stream, 2)


def test_a_few_pipelined_requests_are_answered(served_hub: Any) -> None:
    with connected(served_hub) as stream:
        stream.sendall(b"".join(requests(20)))
        assert answered(stream, 20)


def test_an_answer_before_the_end_of_a_body_ends_the_connection(served_hub: Any, taken: list[int]) -> None:
    start = b"POST /api/repos/create HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 70000000\r\n\r\n"
    assert b" 401 " in sent_until_closed(served_hub, start, b"x") or sum(taken) <= MOST
