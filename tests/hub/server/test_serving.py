"""`zoo hub serve` as a process: what it says, how it ends, what it writes down, TLS."""

import base64
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import HfApi, constants

from zoo.hub.server.store import Store

Serve = Callable[..., "Served"]


class Served:
    """A server's process, and what it said at its start."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "zoo", "hub", "serve", str(folder), "--port", "0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.said = [self.process.stdout.readline()]
        while self.said[-1] and "HF_HUB_OFFLINE" not in self.said[-1]:
            self.said.append(self.process.stdout.readline())
        self.url = self.said[0].split(" on ")[1].split(" ")[0]
        self.folder = folder
        self.token = (folder / "token").read_text()

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(str(urlsplit(self.url).netloc), timeout=10)


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    started: list[Served] = []

    def start(*options: str) -> Served:
        started.append(Served(tmp_path / "hub", *options))
        return started[-1]

    yield start
    for served in started:
        served.process.kill()
        served.process.communicate()


def upload_address(served: Served, content: bytes) -> str:
    connection = served.connection()
    oid = hashlib.sha256(content).hexdigest()
    body = json.dumps({"operation": "upload", "objects": [{"oid": oid, "size": len(content)}]})
    headers = {"Authorization": f"Bearer {served.token}"}
    connection.request("POST", "/org/thing.git/info/lfs/objects/batch", body, headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return urlsplit(answer["objects"][0]["actions"]["upload"]["href"]).path


def test_the_token_is_shown_once(serve: Serve) -> None:
    first = serve()
    assert f'export HF_TOKEN="{first.token}"' in "".join(first.said)
    for line in (f"export HF_ENDPOINT={first.url}", "export NO_PROXY=127.0.0.1,localhost", "unset HF_HUB_OFFLINE"):
        assert line in "".join(first.said)
    assert stat.S_IMODE((first.folder / "token").stat().st_mode) == 0o600
    first.process.terminate()
    assert first.process.wait(timeout=60) == 0
    second = serve()
    assert second.token == first.token and second.token not in "".join(second.said)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_is_under_way_may_finish(serve: Serve, how: signal.Signals) -> None:
    served = serve()
    HfApi(endpoint=served.url, token=served.token).create_repo("org/thing")
    content = os.urandom(100_000)
    connection = served.connection()
    connection.putrequest("PUT", upload_address(served, content))
    connection.putheader("Content-Length", str(len(content)))
    connection.endheaders()
    connection.send(content[:50_000])
    time.sleep(0.3)
    served.process.send_signal(how)
    time.sleep(0.5)
    assert served.process.poll() is None
    connection.send(content[50_000:])
    assert connection.getresponse().status == 200
    connection.close()
    assert served.process.wait(timeout=60) in (0, 130)
    store = Store(served.folder)
    assert store.blobs.path(hashlib.sha256(content).hexdigest()).read_bytes() == content
    store.close()


def test_111_killed_in_the_middle_of_an_upload(serve: Serve) -> None:
    served = serve()
    api = HfApi(endpoint=served.url, token=served.token)
    api.create_repo("org/thing")
    head = api.model_info("org/thing").sha
    connection = served.connection()
    connection.putrequest("PUT", upload_address(served, b"x" * 100_000))
    connection.putheader("Content-Length", "100000")
    connection.endheaders()
    connection.send(b"x" * 50_000)
    time.sleep(0.3)
    assert list((served.folder / "temporary").iterdir())
    served.process.kill()
    served.process.wait()
    connection.close()
    again = serve()
    assert HfApi(endpoint=again.url, token=again.token).model_info("org/thing").sha == head
    assert not list((again.folder / "temporary").iterdir())


def test_113_a_second_server(serve: Serve, tmp_path: Path) -> None:
    serve()
    command = [sys.executable, "-m", "zoo", "hub", "serve", str(tmp_path / "hub"), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 7 and "another server has the store" in done.stderr


def test_the_access_log_tells_who_did_what_and_no_secret(serve: Serve) -> None:
    served = serve()
    api = HfApi(endpoint=served.url, token=served.token)
    api.create_repo("org/thing")
    api.upload_file(path_or_fileobj=b"x" * 2_000_000, path_in_repo="a.bin", repo_id="org/thing")
    connection = served.connection()
    connection.request("GET", "/api/models/org/none?secret=1", headers={"Authorization": "Bearer zoo_wrong_token"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    deadline = time.monotonic() + 60
    while (text := (served.folder / "log" / "access.jsonl").read_text()).count("/org/none") == 0:
        assert time.monotonic() < deadline  # a line is written when its answer is on the way
    lines = [json.loads(line) for line in text.splitlines()]
    put = next(line for line in lines if line["method"] == "PUT")
    commit = next(line for line in lines if "/commit/" in line["path"])
    assert (commit["user"], commit["status"], commit["method"]) == ("zoo", 200, "POST")
    assert put["path"].startswith("/lfs/models/org/thing/") and put["status"] == 200
    assert lines[-1]["request"] == answer.headers["x-request-id"] and lines[-1]["status"] == 401
    assert served.token not in text and "zoo_wrong_token" not in text and "secret=1" not in text
    signature = upload_address(served, b"other").rpartition("/")[2]
    assert signature not in (served.folder / "log" / "access.jsonl").read_text()


def test_the_log_of_a_service(serve: Serve) -> None:
    served = serve("--access-log", "-")
    connection = served.connection()
    connection.request("GET", "/healthz")
    assert json.loads(connection.getresponse().read()) == {"status": "ok"}
    connection.close()
    assert served.process.stdout is not None
    assert json.loads(served.process.stdout.readline())["path"] == "/healthz"


@pytest.mark.parametrize("proxy", [False, True])
def test_who_a_client_is_said_to_be_is_believed_of_a_proxy_alone(serve: Serve, proxy: bool) -> None:
    """An address is that of the connection, unless `--url` tells that a proxy stands before."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    served = serve("--access-log", "-", "--port", str(port), *(["--url", "http://hub.example"] if proxy else []))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/healthz", headers={"X-Forwarded-For": "203.0.113.9", "Host": "hub.example"})
    connection.getresponse().read()
    connection.close()
    assert served.process.stdout is not None
    line = json.loads(served.process.stdout.readline())
    assert line["client"] == ("203.0.113.9" if proxy else "127.0.0.1")


def test_tls(serve: Serve, tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("no openssl here to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    served = serve("--certificate", str(certificate), "--key", str(key))
    assert served.url.startswith("https://127.0.0.1:")
    trusted = ssl.create_default_context(cafile=str(certificate))
    connection = http.client.HTTPSConnection(str(urlsplit(served.url).netloc), context=trusted, timeout=10)
    create = json.dumps({"name": "thing", "organization": "org"})
    bearer = {"Authorization": f"Bearer {served.token}"}
    connection.request("POST", "/api/repos/create", create, bearer)
    answer = connection.getresponse()
    assert json.loads(answer.read())["url"] == f"{served.url}/org/thing"
    content = os.urandom(600_000)
    value: Any = {"path": "a.bin", "content": base64.b64encode(content).decode(), "encoding": "base64"}
    connection.request("POST", "/api/models/org/thing/commit/main", json.dumps({"key": "file", "value": value}), bearer)
    assert connection.getresponse().read()
    connection.request("GET", "/org/thing/resolve/main/a.bin")
    assert connection.getresponse().read() == content
    connection.close()
