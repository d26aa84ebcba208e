"""The event loop goes before threads that compute."""

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hub.server.uploads import count_calls
from zoo.hub.server import precedence, work
from zoo.hub.server.options import Options
from zoo.hub.server.precedence import Patience, Precedence
from zoo.hub.server.serving import serve_folder, serve_forever
from zoo.hub.server.work import Lanes, Work


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make work wait for as long as the loop has something to do."""
    monkeypatch.setattr(precedence, "_SHARE", 1e9)
    monkeypatch.setattr(precedence, "_LONGEST", 30)


def test_a_thread_that_computes_waits_until_the_loop_rests(patient: None) -> None:
    first = Precedence()
    patience = Patience()
    order: list[str] = []
    begins = threading.Event()

    def compute() -> None:
        begins.set()
        patience.give_way(first)
        order.append("thread")

    async def serve() -> None:
        thread = threading.Thread(target=compute)
        thread.start()
        begins.wait()
        time.sleep(0.05)
        order.append("loop")
        await asyncio.to_thread(thread.join)

    with asyncio.Runner(loop_factory=first.new_loop) as runner:
        runner.run(serve())
    assert order == ["loop", "thread"]


def test_a_loop_that_never_rests_is_not_waited_for_without_end() -> None:
    first = Precedence()

    async def serve() -> None:
        patience = Patience()
        thread = threading.Thread(target=lambda: [patience.give_way(first) for _ in range(10)])
        thread.start()
        thread.join(30)
        assert not thread.is_alive() and not first.rests

    with asyncio.Runner(loop_factory=first.new_loop) as runner:
        runner.run(serve())


def test_it_waits_in_proportion_to_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Precedence()
    clock = [0.0]
    waits: list[float] = []

    def wait(_: Precedence, seconds: float) -> None:
        waits.append(round(seconds, 6))
        clock[0] += seconds / 2

    monkeypatch.setattr(precedence.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(Precedence, "rests", False)
    monkeypatch.setattr(Precedence, "wait", wait)
    patience = Patience()
    for worked in (0.001, 0.001, 5, 0):
        clock[0] += worked
        patience.give_way(first)
    assert waits == [0.003, 0.0045, 0.02, 0.01]


def test_nobody_waits_for_a_loop_that_is_closed_or_never_was(patient: None) -> None:
    async def nothing() -> None:
        assert not first.rests

    first = Precedence()
    assert first.rests
    with asyncio.Runner(loop_factory=first.new_loop) as runner:
        runner.run(nothing())
    assert first.rests


def test_the_loop_does_not_wait_for_itself(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = Lanes()

    async def serve() -> None:
        work.current.set(Work("GET /", 60, lanes))
        monkeypatch.setattr(threading.Event, "wait", lambda *_: pytest.fail("it waits"))
        work.check()
        monkeypatch.undo()

    with asyncio.Runner(loop_factory=lanes.precedence.new_loop) as runner:
        runner.run(serve())
    lanes.close()


def test_checked_values_are_looked_at_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = count_calls(monkeypatch, "zoo.hub.server.work.check")
    assert list(work.checked(range(1000))) == list(range(1000)) and len(looks) == 4
    assert list(work.checked([])) == [] and len(looks) == 4


def test_a_server_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    new_loop: Callable[[Precedence], Any] = Precedence.new_loop
    monkeypatch.setattr(Precedence, "new_loop", lambda self: (made.append(self), new_loop(self))[1])
    with serve_folder(tmp_path / "hub"):
        pass
    assert len(made) == 1 and made[0].rests


def test_what_is_loaded_is_no_longer_looked_through_for_garbage(tmp_path: Path) -> None:
    """Such a look held the interpreter's lock, and everybody, for 30 ms."""
    frozen: list[int] = []
    interval = sys.getswitchinterval()

    def started(_: object) -> None:
        frozen.append(gc.get_freeze_count())
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            serve_forever(tmp_path / "hub", Options(port=0), started, lambda _: None)
    finally:
        gc.unfreeze()
        sys.setswitchinterval(interval)
    assert frozen[0] > 10_000
