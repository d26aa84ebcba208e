"""What a Xet upload may cost: no more than its bytes and those of its files, and no thread of others."""

import asyncio
import hashlib
import io
import random
import shutil
import tempfile
import threading
import time
from http.client import HTTPException
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
from huggingface_hub import HfApi

from tests.hub.server.uploads import XORB, Ask, Cas, asking, chunk, count_calls, shard
from zoo.hub.server import work
from zoo.hub.server.blobs import BlobWriter
from zoo.hub.server.http import HttpError
from zoo.hub.server.options import Options
from zoo.hub.server.serving import serve_folder
from zoo.hub.server.store import Store
from zoo.hub.server.work import Lanes, Work
from zoo.hub.server.xet import Unpacker

OTHER = "ac" * 32
XORB_ROUTE = f"/v1/xorbs/default/{XORB}"


@pytest.fixture
def cas(api: HfApi, ask: Ask) -> Cas:
    return Cas(ask, api, "org/thing")


def shard_of(content: bytes, terms: list[tuple[str, int, int, int]]) -> bytes:
    return shard(hashlib.sha256(content).hexdigest(), terms)


def packed(content: bytes) -> bytes:
    return chunk(content, 1, lz4.frame.compress(content))


def left(hub: Any) -> list[Path]:
    return [path for part in ("xorbs", "temporary") for path in (hub.folder / part).iterdir()]


def test_125_a_xorb_is_unpacked_once_however_often_it_is_used(cas: Cas, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = count_calls(monkeypatch, "zoo.hub.server.xet.chunk_content")
    reads = count_calls(monkeypatch, "os.pread")
    content = bytes(range(256)) * 4
    assert cas(XORB_ROUTE, b"".join(packed(content[place : place + 1]) for place in range(1024))) == 200
    assert cas("/v1/shards", shard_of(content * 400, [(XORB, 0, 1024, 1024)] * 400)) == 200
    assert len(unpacked) == 1024 and len(reads) == 400


def test_125_one_chunk_used_10_000_times(cas: Cas, served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = count_calls(monkeypatch, "zoo.hub.server.xet.chunk_content")
    looked_up = count_calls(monkeypatch, "zoo.hub.server.xorbs.Chunks")
    assert cas(XORB_ROUTE, packed(b"hello")) == 200
    assert cas("/v1/shards", shard_of(b"hello" * 10_000, [(XORB, 0, 1, 5)] * 10_000)) == 200
    assert len(unpacked) == len(looked_up) == 1
    assert not left(served_hub)


@pytest.mark.parametrize(
    "xorb",
    [
        chunk(b"x") * 60_000,
        packed(b"x") * 60_000,
        packed(bytes(131_072)) * 545,
    ],
    ids=["plain chunks", "packed chunks", "bytes"],
)
def test_125_xorbs_that_hold_too_much(cas: Cas, served_hub: Any, xorb: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = count_calls(monkeypatch, "zoo.hub.server.xet.chunk_content")
    looks = count_calls(monkeypatch, "zoo.hub.server.work.check")
    assert cas(XORB_ROUTE, xorb) == 413
    assert len(unpacked) <= 8 * 1024 + 64
    assert len(unpacked) / 64 <= len(looks) < 200  # what is taken in is bounded, and so is each slice of it
    assert not left(served_hub)


def test_125_one_byte_chunks_cost_a_piece_of_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is called for each: 8,192 of them are 128 slices, after each of which others may go first."""
    looks = count_calls(monkeypatch, "zoo.hub.server.work.check")
    unpacked = count_calls(monkeypatch, "zoo.hub.server.xet.chunk_content")
    file = io.BytesIO()
    unpacker = Unpacker(file)
    unpacker.write([chunk(b"x") * 8192])
    unpacker.finish()
    assert file.getvalue() == b"x" * len(unpacker.lengths) == b"x" * 8192
    assert not unpacked and 128 <= len(looks) <= 130


def test_125_long_lists_of_runs_are_read_in_slices(cas: Cas, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cas(XORB_ROUTE, chunk(b"hello")) == 200
    looks = count_calls(monkeypatch, "zoo.hub.server.work.check")
    assert cas("/v1/shards", shard("0" * 64, [(XORB, 0, 1, 4)] * 25_600)) == 400
    assert len(looks) >= 200  # while it is read, and before the first wrong one is met


def test_small_shards_need_no_file(cas: Cas, served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[Any] = []
    real = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: (files.append(options), real(**options))[1])
    assert cas(XORB_ROUTE, chunk(b"hello")) == 200
    assert cas("/v1/shards", shard_of(b"hello" * 400, [(XORB, 0, 1, 5)] * 400)) == 200
    assert not files
    assert cas("/v1/shards", shard_of(b"hello" * 4000, [(XORB, 0, 1, 5)] * 4000)) == 200
    assert [options["dir"] for options in files] == [str(served_hub.folder / "temporary")]
    assert not left(served_hub)


def test_125_too_many_runs_are_refused_before_any_is_looked_at(cas: Cas, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = count_calls(monkeypatch, "zoo.hub.server.xorbs.Chunks")
    assert cas(XORB_ROUTE, chunk(b"hello")) == 200
    monkeypatch.setattr("zoo.hub.server.xet.MAX_TERMS", 10)
    assert cas("/v1/shards", shard_of(b"hello" * 11, [(XORB, 0, 1, 5)] * 11)) == 413
    assert not looked_up
    assert cas("/v1/shards", shard_of(b"hello" * 10, [(XORB, 0, 1, 5)] * 10)) == 200


def test_125_runs_that_lie_in_many_places_count_as_many(
    cas: Cas, served_hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = list(range(10))
    random.Random(1).shuffle(order)
    assert cas(XORB_ROUTE, b"".join(chunk(bytes([place])) for place in range(10))) == 200
    assert cas("/v1/shards", shard_of(bytes(order), [(XORB, place, place + 1, 1) for place in order])) == 200
    assert not left(served_hub)
    writers = count_calls(monkeypatch, "zoo.hub.server.rebuild.BlobWriter")
    monkeypatch.setattr("zoo.hub.server.rebuild.MAX_TERMS", 20)
    assert cas("/v1/shards", shard_of(bytes(range(10)) * 3, [(XORB, 0, 10, 10)] * 3)) == 413
    assert not writers
    assert cas("/v1/shards", shard_of(bytes(range(10)) * 2, [(XORB, 0, 10, 10)] * 2)) == 200


def test_125_places_of_a_xorb_are_no_more_than_its_chunks(cas: Cas, served_hub: Any) -> None:
    content = bytes(range(30))
    assert cas(XORB_ROUTE, b"".join(chunk(content[place : place + 1]) for place in range(30))) == 200
    ranges = [(first, last) for first in range(29) for last in range(first + 1, 30)]
    random.Random(1).shuffle(ranges)
    for some in (ranges[:200], ranges[200:]):
        terms = [(XORB, first, last, last - first) for first, last in some]
        whole = b"".join(content[first:last] for first, last in some)
        assert cas("/v1/shards", shard_of(whole, terms)) == 200
    store = Store(served_hub.folder)
    assert store.database.rows("SELECT first, last FROM placements") == [(0, 29)]
    store.close()
    assert len(left(served_hub)) == 1  # its last chunk is nowhere else
    assert cas("/v1/shards", shard_of(content, [(XORB, 0, 30, 30)])) == 200
    assert not left(served_hub)


def test_125_files_that_do_not_fit_together_are_not_begun(
    cas: Cas, served_hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = bytes(131_072)
    assert cas(XORB_ROUTE, chunk(block, 1, lz4.frame.compress(block))) == 200
    writers = count_calls(monkeypatch, "zoo.hub.server.rebuild.BlobWriter")
    one, two = (shard("0" * 63 + last, [(XORB, 0, 1, len(block))] * 400) for last in "12")
    usage = shutil.disk_usage("/")._replace(free=Options().limits.reserve + 80 * 1024 * 1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert cas("/v1/shards", one[:-48] + two[48:]) == 507
    assert not writers


def test_125_time_that_is_over(cas: Cas, served_hub: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cas(XORB_ROUTE, chunk(b"hello")) == 200
    monkeypatch.setattr(Work, "allow", lambda work, _: setattr(work, "_end", 0))
    assert cas("/v1/shards", shard_of(b"hello", [(XORB, 0, 1, 5)])) == 503
    assert not [path for path in left(served_hub) if path.parent.name == "temporary"]
    monkeypatch.undo()
    assert cas("/v1/shards", shard_of(b"hello", [(XORB, 0, 1, 5)])) == 200


def answer_of(cas: Cas, body: bytes) -> int | None:
    try:
        return cas("/v1/shards", body)
    except (OSError, HTTPException):
        return None


def test_125_a_server_that_stops_ends_what_it_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()
    written: list[int] = []
    answers: list[int | None] = []
    write = BlobWriter.write

    def slowly(self: BlobWriter, chunks: Any) -> None:
        begun.set()
        written.append(1)
        time.sleep(0.01)
        write(self, chunks)

    monkeypatch.setattr(BlobWriter, "write", slowly)
    with serve_folder(tmp_path / "hub", options=Options(grace_seconds=0.5)) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        api.create_repo("org/thing")
        cas = Cas(asking(hub.url), api, "org/thing")
        block = bytes(131_072)
        assert cas(XORB_ROUTE, chunk(block, 1, lz4.frame.compress(block))) == 200
        body = shard("0" * 64, [(XORB, 0, 1, len(block))] * 20_000)
        thread = threading.Thread(target=lambda: answers.append(answer_of(cas, body)))
        thread.start()
        assert begun.wait(20)
    thread.join()
    assert answers in ([None], [500], [503])
    assert len(written) < 2_500  # batches of a MiB
    assert not list((hub.folder / "temporary").iterdir())


@pytest.mark.parametrize(("times", "status"), [(1, 200), (2, 200), (3, 503)])
def test_chunks_that_move_while_they_are_read(
    cas: Cas, served_hub: Any, monkeypatch: pytest.MonkeyPatch, times: int, status: int
) -> None:
    from zoo.hub.server import rebuild

    real, moved = rebuild._read, []

    def moving(*arguments: Any) -> Any:
        if len(moved) < times:
            moved.append(1)
            raise FileNotFoundError
        return real(*arguments)

    monkeypatch.setattr(rebuild, "_read", moving)
    assert cas(XORB_ROUTE, chunk(b"hello")) == 200
    assert cas("/v1/shards", shard_of(b"hello", [(XORB, 0, 1, 5)])) == status
    assert not [path for path in left(served_hub) if path.parent.name == "temporary"]


def test_125_long_builds_leave_the_threads_of_others_alone(
    api: HfApi, cas: Cas, served_hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    begun: list[Any] = []
    answers: list[int | None] = []

    def building(*arguments: Any) -> None:
        begun.append(arguments)
        free.wait(20)

    monkeypatch.setattr("zoo.hub.server.routes_xet.rebuild", building)
    threads = [threading.Thread(target=lambda: answers.append(answer_of(cas, b"x"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    api.upload_file(path_or_fileobj=b"content", path_in_repo="a.bin", repo_id="org/thing")
    assert len(begun) <= 2 and not answers
    free.set()
    for thread in threads:
        thread.join()
    assert answers == [200] * 12 and len(begun) == 12


def test_125_no_user_takes_all_threads_or_waits_without_end() -> None:
    async def run() -> None:
        lanes = Lanes()
        work.current.set(Work("POST /", 60, lanes))
        free = threading.Event()
        running: list[int] = []
        most: list[int] = []

        def job() -> None:
            running.append(1)
            most.append(len(running))
            free.wait(20)
            running.pop()

        tasks = [work.start(1, job) for _ in range(32)]
        with pytest.raises(HttpError) as caught:
            work.start(1, job)
        assert caught.value.status == 429 and caught.value.headers["Retry-After"]
        await work.start(2, work.check)  # while those of the other wait
        xorb = asyncio.ensure_future(work.run_in_turn(1, work.check))
        await work.run_in_turn(2, work.check)
        assert not xorb.done()
        assert len(running) == 2
        free.set()
        await asyncio.gather(*tasks, xorb)
        assert max(most) == 2
        lanes.close()

    asyncio.run(run())
