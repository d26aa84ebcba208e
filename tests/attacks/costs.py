"""Requests that cost a Hub much more than whoever sends them: each is a loop that goes on until it is told to stop."""

import base64
import json
import secrets
import socket
import struct
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tests.attacks.crowd import Attack, Crowd, Loop
from tests.attacks.hub_process import Client, HubProcess, bearer
from tests.attacks.town import changed, push, upload, xet_access
from tests.attacks.xet_forms import chunk, shard

REPO = "org/thing"
MANY = 20_000
LARGE = 32 * 1024 * 1024


def fill(hub: HubProcess) -> None:
    """Make the repo that is attacked: a folder of many files, a large one, a history."""
    client = Client(hub.url, bearer(hub.token))
    namespace, _, name = REPO.partition("/")
    changed(client, "POST", "/api/repos/create", {"name": name, "organization": namespace})
    push(client, REPO, {"a.txt": b"a", "README.md": b"# Card\n"})
    oid = upload(client, REPO, b"one")
    lines = (_lfs_file(f"many/{number:05}.bin", oid, 3) for number in range(MANY))
    answer = client("POST", f"/api/models/{REPO}/commit/main", b"\n".join(lines))
    assert answer.status == 200, answer
    large = upload(client, REPO, bytes(LARGE))
    answer = client("POST", f"/api/models/{REPO}/commit/main", _lfs_file("large.bin", large, LARGE))
    assert answer.status == 200, answer
    for number in range(100):
        push(client, REPO, {"count.txt": str(number).encode()})
    client.close()


def shapes(crowd: Crowd, number: int) -> Loop:
    """Commit weights whose shapes multiply to numbers without end."""
    sides = ",".join(["1e308"] * 2000)
    tensors = ",".join(
        f'"{place}":{{"dtype":"F32","shape":[{sides}],"data_offsets":[0,0]}}' for place in range(40)
    ).encode()
    header = b"{" + tensors + b"}"
    content = struct.pack("<Q", len(header)) + header
    repo = _own_repo(crowd, number)
    send = _sender(crowd, f"/api/models/{repo}/commit/main")
    return lambda: send(_file("model.safetensors", content + secrets.token_bytes(8)))


def deletions(crowd: Crowd, number: int) -> Loop:
    """Delete a folder of 20,000 files 500 times in one commit, on a branch that is made for it."""
    client = crowd.connect()
    body = b"\n".join([_json({"key": "deletedFolder", "value": {"path": "many/"}})] * 500)

    def attack() -> None:
        branch = f"b-{secrets.token_hex(6)}"
        client("POST", f"/api/models/{REPO}/branch/{branch}", b"{}")
        client("POST", f"/api/models/{REPO}/commit/{branch}", body)

    return attack


def small_chunks(crowd: Crowd, number: int) -> Loop:
    """Build a file from 400 runs of a xorb's 60,000 chunks of one byte."""
    client = crowd.connect()
    repo = _own_repo(crowd, number)
    path, access = xet_access(client, repo)
    xorb = f"{number:064x}"
    bare = crowd.connect(bare=True)
    ends = [(xorb, place, 60_000, 60_000 - place) for place in range(59_600, 60_000)]
    spoilt = secrets.token_hex(32)  # so that it is read to the end, and nothing of it kept

    def attack() -> None:
        bare("POST", f"{path}/v1/xorbs/default/{xorb}", chunk(b"x") * 60_000, access)
        bare("POST", f"{path}/v1/shards", shard(spoilt, ends), access)

    return attack


def references(crowd: Crowd, number: int) -> Loop:
    """Push a card that uses one long reference 10,000 times, and look at it."""
    return _card(crowd, number, b"[a]: http://x/" + b"y" * 20_000 + b"\n\n" + b"[a] " * 10_000)


def pictures(crowd: Crowd, number: int) -> Loop:
    """Push a card of 160,000 pictures that never end, and look at it."""
    return _card(crowd, number, b"![a" * 160_000)


def trailers(crowd: Crowd, number: int) -> Loop:
    """Send trailers without end after a body; needs no token."""
    parts = urlsplit(crowd.hub.url)
    head = f"POST /api/models/{REPO}/paths-info/main HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    head += "Transfer-Encoding: chunked\r\n\r\n0\r\n"
    trailer = (b"X-Trailer: " + b"y" * 4000 + b"\r\n") * 16

    def attack() -> None:
        with crowd.open() as stream:
            stream.sendall(head.encode())
            for _ in range(1600):  # 100 MB
                stream.sendall(trailer)

    return attack


def stalled(crowd: Crowd, number: int) -> Loop:
    """Ask for a large file and take none of it; needs no token. One call holds one connection until it is closed."""
    parts = urlsplit(crowd.hub.url)
    opened: list[socket.socket] = []

    def attack() -> None:
        if not opened:
            time.sleep(number / 200)  # one after the other: it is not the rush that is tried here
            stream = crowd.open(receive=4096)
            stream.sendall(f"GET /{REPO}/resolve/main/large.bin HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
            if not stream.recv(12).endswith(b"200"):
                stream.close()
                raise OSError("the Hub is full, try again")
            opened.append(stream)
        time.sleep(0.2)

    return attack


def long_list(crowd: Crowd, number: int) -> Loop:
    """Ask for 8 MB of paths; needs no token."""
    body = _json({"paths": [f"many/{place % MANY:05}.bin" for place in range(440_000)]})
    send = _sender(crowd, f"/api/models/{REPO}/paths-info/main", bare=True)
    return lambda: send(body)


def spellings(crowd: Crowd, number: int) -> Loop:
    """Ask for one path in 10,000 spellings, with who changed it last; needs no token."""
    body = _json(
        {"paths": [f"{'/' * (place % 800)}a.txt{'/' * (place // 800)}" for place in range(10_000)], "expand": True}
    )
    send = _sender(crowd, f"/api/models/{REPO}/paths-info/main", bare=True)
    return lambda: send(body)


def deep_paths(crowd: Crowd, number: int) -> Loop:
    """Commit files each of which lies in 500 folders of its own."""
    repo = _own_repo(crowd, number)
    client = crowd.connect()
    oid = upload(client, repo, b"deep")
    send = _sender(crowd, f"/api/models/{repo}/commit/main")

    def attack() -> None:
        word = secrets.token_hex(3)
        send(b"\n".join(_lfs_file(f"{word}{place}/" + "d/" * 480 + "x", oid, 4) for place in range(4000)))

    return attack


def held_bodies(crowd: Crowd, number: int) -> Loop:
    """Send 4 MB of JSON but for its last byte; needs no token."""
    return _held(crowd, f"/api/models/{REPO}/paths-info/main", 4 * 1024 * 1024 - 10, "")


def held_lines(crowd: Crowd, number: int) -> Loop:
    """Send a line of 19 MB of a commit, but for its end."""
    token = f"Authorization: Bearer {crowd.hub.token}\r\n"
    return _held(crowd, f"/api/models/{_own_repo(crowd, number)}/commit/main", 19 * 1024 * 1024, token)


def _held(crowd: Crowd, path: str, size: int, token: str) -> Loop:
    netloc = urlsplit(crowd.hub.url).netloc
    head = f"POST {path} HTTP/1.1\r\nHost: {netloc}\r\n{token}Content-Length: {size + 1}\r\n\r\n"

    def attack() -> None:
        with crowd.open() as stream:
            stream.sendall(head.encode())
            for _ in range(size // 65_536):
                stream.sendall(b" " * 65_536)
            stream.recv(1)  # until the Hub has had enough

    return attack


def many_lines(crowd: Crowd, number: int) -> Loop:
    """Have 8 MB of short lines looked through for front matter; needs no token."""
    send = _sender(crowd, "/api/validate-yaml", bare=True)
    body = _json({"content": "---\n" + "ab\n" * 2_000_000})
    return lambda: send(body)


def expanded_trees(crowd: Crowd, number: int) -> Loop:
    """List a folder with who changed each file last, page after page; needs no token."""
    client = crowd.connect(bare=True)
    pages = iter(range(0, 10**9, 50))
    return lambda: (client("GET", f"/api/models/{REPO}/tree/main/many?expand=true&cursor={next(pages) % MANY}"), None)[
        1
    ]


ATTACKS = (
    Attack("shape of 2,000 × 1e308", shapes),
    Attack("500 × deletedFolder over 20,000 files", deletions),
    Attack("400 terms over 60,000 one-byte chunks", small_chunks, times=8),
    Attack("card: one reference 10,000 times", references),
    Attack("card: ![a × 160,000", pictures),
    Attack("trailers without end", trailers, times=8),
    Attack("512 stalled downloads", stalled, times=512, seconds=15),
    Attack("8 MB of paths-info", long_list),
    Attack("10,000 spellings of a path", spellings),
    Attack("4,000 paths of 480 folders", deep_paths, times=2),
    Attack("expanded trees", expanded_trees),
    Attack("200 bodies of 4 MB held back", held_bodies, times=200),
    Attack("60 lines of 19 MB held back", held_lines, times=60),
    Attack("front matter of 2,000,000 lines", many_lines),
)


def _own_repo(crowd: Crowd, number: int) -> str:
    crowd.connect()("POST", "/api/repos/create", _json({"name": f"own-{number}", "organization": "org"}))
    return f"org/own-{number}"


def _card(crowd: Crowd, number: int, card: bytes) -> Loop:
    repo = _own_repo(crowd, number)
    send, reader = _sender(crowd, f"/api/models/{repo}/commit/main"), crowd.connect(bare=True)

    def attack() -> None:
        send(_file("README.md", secrets.token_hex(8).encode() + b"\n\n" + card))
        reader("GET", f"/{repo}")

    return attack


def _sender(crowd: Crowd, path: str, bare: bool = False) -> Callable[[bytes], None]:
    client = crowd.connect(bare)

    def send(body: bytes) -> None:
        client("POST", path, body, {"Content-Type": "application/json"})

    return send


def _file(path: str, content: bytes) -> bytes:
    value = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
    return _json({"key": "file", "value": value})


def _lfs_file(path: str, oid: str, size: int) -> bytes:
    return _json({"key": "lfsFile", "value": {"path": path, "oid": oid, "algo": "sha256", "size": size}})


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
