"""What one request may compute: until when, and in which threads."""

import asyncio
import http.client
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import HfApi, constants

from zoo.hub.server import work
from zoo.hub.server.blobs import BlobStore
from zoo.hub.server.commits import Commits
from zoo.hub.server.http import HttpError
from zoo.hub.server.options import Limits, Options
from zoo.hub.server.serving import serve_folder
from zoo.hub.server.store import Store
from zoo.hub.server.work import Lane, Lanes, Work

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "hub")
    yield store
    store.close()


@contextmanager
def working(seconds: float) -> Iterator[Work]:
    lanes = Lanes()
    token = work.current.set(Work("GET /", seconds, lanes))
    try:
        yield work.current.get()  # type: ignore[misc]
    finally:
        work.current.reset(token)
        lanes.close()


def commit(hub: Any, repo: str, timeout: float = 60) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(str(urlsplit(hub.url).netloc), timeout=timeout)
    body = json.dumps({"key": "file", "value": {"path": "a.txt", "content": "eA=="}})
    path = f"/api/models/{repo}/commit/main"
    try:
        connection.request("POST", path, body, {"Authorization": f"Bearer {hub.token}"})
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Serve a Hub that works half a second for a request."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with serve_folder(tmp_path / "hub", options=Options(limits=Limits(compute_seconds=0.5))) as hub:
        HfApi(endpoint=hub.url, token=hub.token).create_repo("org/thing")
        yield hub


def until_told(*_: object) -> str:
    while True:
        work.check()
        time.sleep(0.01)


@pytest.mark.parametrize("hangs", [False, True])
def test_125_a_request_that_takes_too_long_is_answered(hub: Any, monkeypatch: pytest.MonkeyPatch, hangs: bool) -> None:
    end = threading.Event()
    monkeypatch.setattr(Commits, "add", (lambda *_: end.wait()) if hangs else until_told)
    answer = commit(hub, "org/thing")
    assert answer.status == 503 and answer.headers["retry-after"] == "10"
    assert "longer than 0.5 s" in answer.headers["x-error-message"]
    monkeypatch.undo()
    end.set()
    assert commit(hub, "org/thing").status == 200
    assert not list((hub.folder / "temporary").iterdir())


def test_125_endless_statements_are_interrupted(store: Store) -> None:
    with working(0.05), pytest.raises(sqlite3.OperationalError, match="interrupted"):
        store.database.rows(ENDLESS)
    with working(0.05), pytest.raises(sqlite3.OperationalError), store.database.transaction() as connection:
        connection.execute("INSERT INTO settings VALUES ('half', 'done')")
        connection.execute(ENDLESS)
    assert store.database.rows("SELECT 1 FROM settings WHERE key='half'") == []
    assert store.setting("written") == store.setting("written")


def test_125_an_interrupted_statement_is_answered(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Commits, "add", lambda self, *_: self._database.rows(ENDLESS))
    assert commit(hub, "org/thing").status == 503


def test_125_nobody_waits_for_the_writer_without_end(store: Store) -> None:
    held, end = threading.Event(), threading.Event()

    def hold() -> None:
        with store.database.transaction():
            held.set()
            end.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with working(0.05), pytest.raises(HttpError, match="busy") as caught, store.database.transaction():
        pass
    assert caught.value.status == 503
    end.set()
    thread.join()
    with working(5), store.database.transaction():
        pass


def test_time_in_which_the_client_is_waited_for_does_not_count() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.1)
        return {"type": "http.request", "body": b"x" * 40_000_000}

    with working(0.05) as mine:
        asyncio.run(mine.timed(receive)())  # type: ignore[arg-type]
        assert not mine.over and mine.left > 5  # what has come is to be worked on
        mine.stop()
        assert mine.over and mine.left == 0
        with pytest.raises(HttpError, match="being stopped"):
            work.check()


def test_time_in_which_a_user_waits_for_a_turn_does_not_count() -> None:
    async def run() -> None:
        free = threading.Event()
        with working(60) as others, working(0.05) as mine:
            mine.lanes = others.lanes
            token = work.current.set(others)
            first = [work.start(1, free.wait, 20) for _ in range(2)]
            work.current.reset(token)
            third = work.start(1, work.check)
            await asyncio.sleep(0.1)
            assert not third.done() and not mine.over
            free.set()
            await asyncio.gather(*first, third)

    asyncio.run(run())


def test_125_a_lane_that_is_full_refuses() -> None:
    lane, end = Lane(1, waiting=1), threading.Event()
    jobs = [lane.submit(end.wait) for _ in range(2)]
    with pytest.raises(HttpError, match="busy") as caught:
        lane.submit(end.wait)
    assert caught.value.status == 503 and caught.value.headers["Retry-After"] == "10"
    assert not lane.finish(0)
    end.set()
    assert lane.finish(10) and all(job.result() for job in jobs)
    assert lane.submit(lambda: 3).result() == 3
    lane.shutdown()


def test_125_heavy_writes_keep_nothing_else_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve commits hang in twelve repos; reads and small writes go on, and all commits are made in the end."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    end, begun = threading.Event(), threading.Semaphore(0)
    add = Commits.add

    def slow(*arguments: Any) -> str:
        begun.release()
        end.wait()
        return add(*arguments)

    with serve_folder(tmp_path / "hub") as hub, ThreadPoolExecutor(12) as clients:
        api = HfApi(endpoint=hub.url, token=hub.token)
        for number in range(12):
            api.create_repo(f"org/{number}")
        monkeypatch.setattr(Commits, "add", slow)
        try:
            answers = [clients.submit(commit, hub, f"org/{number}") for number in range(12)]
            for _ in range(4):
                assert begun.acquire(timeout=30)
            api.create_repo("org/small")
            api.create_tag("org/small", tag="v1")
            assert api.model_info("org/0").siblings == [] and len(list(api.list_models())) == 13
        finally:
            end.set()
        assert {answer.result().status for answer in answers} == {200}


def test_125_commits_to_one_repo_hold_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    at_once: list[int] = []
    adding = threading.Semaphore(12)
    add = Commits.add

    def watched(*arguments: Any) -> str:
        with adding:
            at_once.append(12 - adding._value)
            return add(*arguments)

    with serve_folder(tmp_path / "hub") as hub, ThreadPoolExecutor(8) as clients:
        HfApi(endpoint=hub.url, token=hub.token).create_repo("org/thing")
        monkeypatch.setattr(Commits, "add", watched)
        answers = list(clients.map(lambda _: commit(hub, "org/thing"), range(8)))
    assert {answer.status for answer in answers} == {200} and at_once == [1] * 8


def test_downloads_are_written_by_one_thread_at_a_time(
    api: HfApi, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoo.hub.server.downloads import Downloads

    monkeypatch.setattr("zoo.hub.server.downloads._EVERY_SECONDS", -1)
    end, writing = threading.Event(), []
    monkeypatch.setattr(Downloads, "write", lambda _: (writing.append(1), end.wait()))
    api.upload_file(path_or_fileobj=b"x", path_in_repo="a.txt", repo_id="org/thing")
    for _ in range(5):
        assert ask("GET", "/org/thing/resolve/main/a.txt")[0] == 200
    assert len(writing) == 1
    end.set()


def test_112_a_body_that_fails_leaves_nothing(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BlobStore, "uploaded", until_told)
    connection = http.client.HTTPConnection(str(urlsplit(hub.url).netloc), timeout=30)
    lines = [
        {"key": "file", "value": {"path": "a.txt", "content": "eA=="}},
        {"key": "lfsFile", "value": {"path": "b.bin", "oid": "0" * 64}},
    ]
    body = "\n".join(map(json.dumps, lines))
    connection.request("POST", "/api/models/org/thing/commit/main", body, {"Authorization": f"Bearer {hub.token}"})
    assert connection.getresponse().status == 503
    connection.close()
    assert not list((hub.folder / "temporary").iterdir())
