"""A server that is stopped ends, whatever its requests do."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zoo.hub.server.store import Store

STUCK = {
    "a thread": "add.Commits.add = hang",
    "the writer": "add.Commits.add = hang_in_transaction",
    "the event loop": "application.Application._health = hang",
}
SCRIPT = """
import http.client, json, sys, threading, time
from zoo.hub.server import application
from zoo.hub.server import commits as add
folder, how, *rest = sys.argv[1:]

def hang(*_):
    print("stuck", flush=True)
    while True:
        time.sleep(1)

def hang_in_transaction(self, *_):
    with self._database.transaction():
        hang()

exec(how)

def ask(url, token):
    def once(method, path, body=None):
        connection = http.client.HTTPConnection(url.split("//")[1], timeout=600)
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
        connection.getresponse().read()
        connection.close()
    once("POST", "/api/repos/create", json.dumps({"name": "thing", "organization": "org"}))
    line = json.dumps({"key": "file", "value": {"path": "a.txt", "content": "eA=="}})
    for request in (("POST", "/api/models/org/thing/commit/main", line), ("GET", "/healthz")):
        threading.Thread(target=once, args=request, daemon=True).start()
"""
SERVED = """
import importlib
serve = importlib.import_module("zoo.cli.hub.serve")
announce = serve._announce
serve._announce = lambda served, options: (announce(served, options), ask(served.url, served.token))
from zoo.cli import run
sys.exit(run(["hub", "serve", folder, "--port", "0", *rest]))
"""
EMBEDDED = """
from zoo.hub.server.serving import serve_folder
with serve_folder(__import__("pathlib").Path(folder)) as hub:
    ask(hub.url, hub.token)
    sys.stdin.readline()
print("left")
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Any]:
    processes: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SCRIPT + script, str(tmp_path / "hub"), *arguments]
        pipes: Any = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
        process = subprocess.Popen(command, text=True, **pipes)
        processes.append(process)
        assert process.stdout is not None
        while (line := process.stdout.readline()) and line != "stuck\n":
            pass
        assert line
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", STUCK)
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_125_stopped_in_a_request_that_hangs(started: Any, tmp_path: Path, how: str, sent: int, code: int) -> None:
    process = started(SERVED, STUCK[how], "--grace", "1")
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    request = "GET /healthz" if how == "the event loop" else "POST /api/models/org/thing/commit/main"
    assert "cut off:" in said and request in said and len(said.splitlines()) == 1
    store = Store(tmp_path / "hub")
    repo = store.repos.find("models", "org/thing")
    assert repo is not None
    left = set(store.trees.files(store.commits.tree(repo, repo.head)))
    assert left <= ({"a.txt"} if how == "the event loop" else set())  # a commit may come before the loop stands still
    store.close()


def test_a_second_signal_ends_at_once(started: Any) -> None:
    process = started(SERVED, STUCK["a thread"], "--grace", "3600")
    process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.5)
    process.terminate()
    assert process.wait(timeout=60) == 128 + signal.SIGTERM


@pytest.mark.parametrize("how", STUCK)
def test_125_a_folder_that_is_served_meanwhile_keeps_nobody(started: Any, how: str) -> None:
    process = started(EMBEDDED, STUCK[how])
    said, error = process.communicate("\n", timeout=60)
    assert process.returncode == 0 and said == "left\n" and "was stopped while it did" in error


def test_a_grace_that_no_process_has(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "zoo", "hub", "serve", str(tmp_path / "hub"), "--grace", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=dict(os.environ))
    assert done.returncode == 2 and "--grace" in done.stderr
