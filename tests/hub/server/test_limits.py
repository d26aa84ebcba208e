"""What a client may take up: sizes, time, connections, the disk."""

import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, constants
from huggingface_hub.errors import HfHubHTTPError

from zoo.hub.server.options import Limits, Options
from zoo.hub.server.serving import serve_folder

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, HfApi]]:
    """Serve a Hub of tight limits."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    limits = Limits(max_file=50_000, max_commit=100_000, idle_seconds=0.5, multipart_from=10_000, part_size=4_000)
    with serve_folder(tmp_path / "small", options=Options(limits=limits)) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        api.create_repo("org/thing")
        yield hub, api


def connected(hub: Any) -> socket.socket:
    parts = urlsplit(hub.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=60)


def everything(folder: Path) -> list[Path]:
    return [path for part in ("blobs", "temporary", "xorbs") for path in (folder / part).rglob("*") if path.is_file()]


def upload_address(ask: Ask, api: HfApi, content: bytes) -> str:
    oid = hashlib.sha256(content).hexdigest()
    body = json.dumps({"operation": "upload", "objects": [{"oid": oid, "size": len(content)}]}).encode()
    answer = json.loads(
        ask("POST", "/org/thing.git/info/lfs/objects/batch", body, Authorization=f"Bearer {api.token}")[2]
    )
    return urlsplit(answer["objects"][0]["actions"]["upload"]["href"]).path


def test_large_files_come_in_parts(small: tuple[Any, HfApi]) -> None:
    hub, api = small
    content = os.urandom(18_001)
    api.create_commit("org/thing", [CommitOperationAdd("a.bin", content)], commit_message="parts")
    target = Path(api.hf_hub_download("org/thing", "a.bin", local_dir=hub.folder.parent / "plain"))
    assert target.read_bytes() == content
    assert not list((hub.folder / "temporary").iterdir())


def test_parts_that_are_missing_or_wrong(small: tuple[Any, HfApi], request: pytest.FixtureRequest) -> None:
    from huggingface_hub.utils import get_session

    hub, api = small
    content = os.urandom(10_000)
    oid = hashlib.sha256(content).hexdigest()
    body = {"operation": "upload", "transfers": ["basic", "multipart"], "objects": [{"oid": oid, "size": 10_000}]}
    post = get_session().post
    headers = {"Authorization": f"Bearer {api.token}"}
    answer = post(f"{hub.url}/org/thing.git/info/lfs/objects/batch", json=body, headers=headers).json()
    assert answer["transfer"] == "multipart"
    upload = answer["objects"][0]["actions"]["upload"]
    parts = [upload["header"][str(number)] for number in (1, 2, 3)]
    put = get_session().put
    assert put(parts[0], content=content[:3_999]).status_code == 422
    etags = [
        put(parts[0], content=content[:4_000]).headers["etag"],
        put(parts[1], content=content[4_000:8_000]).headers["etag"],
    ]
    given = [{"partNumber": number, "etag": etag} for number, etag in enumerate(etags, 1)]
    assert post(upload["href"], json={"oid": oid, "parts": given}).status_code == 422
    last = put(parts[2], content=b"x" * 2_000).headers["etag"]
    given.append({"partNumber": 3, "etag": last})
    assert post(upload["href"], json={"oid": oid, "parts": given}).status_code == 422
    assert not everything(hub.folder)


def test_104_bodies_beyond_what_was_announced(api: HfApi, ask: Ask, served_hub: Any) -> None:
    address = upload_address(ask, api, b"four")
    assert ask("PUT", address, b"five.")[0] == 413

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 10_000

    with connected(served_hub) as stream:
        stream.sendall(f"PUT {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        try:
            for _ in range(10_000):
                stream.sendall(b"2710\r\n" + next(endless()) + b"\r\n")
        except OSError:
            pass  # the Hub has hung up
        else:
            raise AssertionError("an endless body was read on")
    assert not everything(served_hub.folder)


def test_104_large_requests(small: tuple[Any, HfApi]) -> None:
    hub, api = small
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_commit("org/thing", [CommitOperationAdd("a.txt", b"x" * 90_000)], commit_message="too much")
    assert caught.value.response.status_code == 413
    with pytest.raises(ValueError, match="50,000 bytes"):
        api.create_commit("org/thing", [CommitOperationAdd("a.bin", b"x" * 50_001)], commit_message="too much")
    assert not everything(hub.folder)


def test_114_slow_bodies_and_heads(small: tuple[Any, HfApi]) -> None:
    hub, api = small
    begun = (
        b"",
        b"GET /api/models HTTP/1.1\r\nHost: ",
        f"POST /api/repos/create HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {hub.token}\r\n"
        "Content-Length: 100\r\n\r\n{".encode(),
    )
    for request in begun:
        with connected(hub) as stream:
            stream.sendall(request)
            answer = stream.recv(1000)  # although the rest never comes
            assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


def test_114_a_body_that_trickles(small: tuple[Any, HfApi]) -> None:
    hub, _ = small
    head = (
        f"POST /api/repos/create HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {hub.token}\r\n"
        "Content-Length: 100\r\n\r\n"
    )
    with connected(hub) as stream:
        stream.sendall(head.encode())
        stream.settimeout(0.1)
        for _ in range(60):
            stream.sendall(b" ")
            try:
                assert stream.recv(1000).startswith(b"HTTP/1.1 408 ")
                return
            except TimeoutError:
                pass
    raise AssertionError("a body of ten bytes a second was read on")


def test_114_endless_heads(served_hub: Any) -> None:
    with connected(served_hub) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(OSError):
            for number in range(100_000):
                stream.sendall(f"X-{number}: {'x' * 1000}\r\n".encode())


def test_112_full_disk(api: HfApi, served_hub: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    head = api.model_info("org/thing").sha
    usage = shutil.disk_usage("/")._replace(free=100 * 1024 * 1024)  # less than is kept free
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    for name in ("a.txt", "a.bin"):
        value = {"path": name, "content": "eA==", "encoding": "base64"}
        body = json.dumps({"key": "file", "value": value}).encode()
        status, headers, _ = ask("POST", "/api/models/org/thing/commit/main", body, Authorization=f"Bearer {api.token}")
        assert status == 507 and "full" in headers["x-error-message"]
    monkeypatch.undo()
    assert api.model_info("org/thing").sha == head
    assert not everything(served_hub.folder)


def test_112_disk_full_in_the_middle(api: HfApi, served_hub: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    address = upload_address(ask, api, b"four")
    monkeypatch.setattr("zoo.hub.server.blobs.os.fsync", full)
    assert ask("PUT", address, b"four")[0] == 507
    monkeypatch.undo()
    assert not everything(served_hub.folder)
    assert ask("PUT", address, b"four")[0] == 200


def test_too_many_connections(tmp_path: Path) -> None:
    with serve_folder(tmp_path / "hub", options=Options(limits=Limits(max_connections=5))) as hub:
        waiting = [connected(hub) for _ in range(8)]
        time.sleep(0.2)
        waiting[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b" 503 " in waiting[-1].recv(1000)
        for stream in waiting:
            stream.close()


def test_103_links_are_never_followed(api: HfApi, ask: Ask, served_hub: Any, tmp_path: Path) -> None:
    api.create_commit("org/thing", [CommitOperationAdd("a.bin", b"mine")], commit_message="put")
    oid = hashlib.sha256(b"mine").hexdigest()
    blob = served_hub.folder / "blobs" / oid[:2] / oid[2:4] / oid
    (tmp_path / "other").write_text("other")
    blob.unlink()
    blob.symlink_to(tmp_path / "other")
    assert ask("GET", "/org/thing/resolve/main/a.bin")[0] == 410


def test_signed_addresses_end(api: HfApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    address = upload_address(ask, api, b"four")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7 * 3600)
    assert ask("PUT", address, b"four")[0] == 403
    monkeypatch.undo()
    assert ask("PUT", address, b"four")[0] == 200
    assert ask("PUT", address, b"four")[0] == 200  # sent again


@pytest.mark.parametrize("body", [b"[" + b"[]," * 260_000 + b"[]]", b"," * 300_000, b"{" * 300_000])
def test_125_a_body_of_too_many_values_is_not_made_into_objects(
    api: HfApi, ask: Ask, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[bytes] = []
    monkeypatch.setattr("msgspec.json.decode", decoded.append)
    bearer = f"Bearer {api.token}"
    assert ask("POST", "/api/models/org/thing/preupload/main", body, Authorization=bearer)[0] == 413
    assert not decoded


@pytest.mark.parametrize("size", [2**50, 2**53 - 1])
def test_a_file_of_a_petabyte_is_refused_before_it_is_sent(served_hub: Any, ask: Ask, size: int) -> None:
    api = HfApi(endpoint=served_hub.url, token=served_hub.token)
    api.create_repo("org/thing")
    bearer = {"Authorization": f"Bearer {api.token}"}
    body = json.dumps({"operation": "upload", "objects": [{"oid": "a" * 64, "size": size}]}).encode()
    status, _, answer = ask("POST", "/org/thing.git/info/lfs/objects/batch", body, **bearer)
    (item,) = json.loads(answer)["objects"]
    assert status == 200 and item["error"]["code"] == 413 and "actions" not in item
    assert "1,099,511,627,776 bytes" in item["error"]["message"]
    value = {"path": "a.bin", "algo": "sha256", "oid": "a" * 64, "size": size}
    lines = [{"key": "header", "value": {"summary": "large"}}, {"key": "lfsFile", "value": value}]
    commit = "\n".join(json.dumps(line) for line in lines).encode()
    kind = {"Content-Type": "application/x-ndjson"}
    assert 400 <= ask("POST", "/api/models/org/thing/commit/main", commit, **bearer, **kind)[0] < 500
    assert everything(served_hub.folder) == []
