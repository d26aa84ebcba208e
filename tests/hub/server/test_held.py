"""The memory of bodies: many large ones at once wait, or are refused, and small ones never are."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from zoo.hub.server import held
from zoo.hub.server.held import Memory, Share

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


async def holding(memory: Memory, size: int) -> bool:
    return await Share(memory).hold(size)


def test_125_bodies_share_one_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr(held, "_WAIT_SECONDS", 0.01)

    async def scene() -> None:
        memory = Memory(1_000_000)
        first, second = Share(memory), Share(memory)
        assert await first.hold(700_000) and await first.hold(900_000) and await first.hold(10)
        assert not await second.hold(900_000)
        assert await second.hold(64 * 1024), "what is small never waits"
        first.release()
        assert await second.hold(900_000)
        second.release()
        second.release()
        assert await Share(memory).hold(1_000_000), "all of it is there again"

    asyncio.run(scene())


def test_125_a_body_waits_for_another_to_end() -> None:
    import asyncio

    async def scene() -> None:
        memory = Memory(1_000_000)
        first = Share(memory)
        assert await first.hold(1_000_000)
        waiting = asyncio.create_task(holding(memory, 1_000_000))
        await asyncio.sleep(0)
        assert not waiting.done()
        first.release()
        assert await waiting

    asyncio.run(scene())


def test_125_large_bodies_beyond_the_memory_are_refused(ask: Ask, monkeypatch: pytest.MonkeyPatch, api: Any) -> None:
    monkeypatch.setattr(held, "_FREE", 0)
    monkeypatch.setattr(held, "_WAIT_SECONDS", 0.01)
    body = json.dumps({"paths": ["a" * 100] * 1000}).encode()
    headers = {"Content-Type": "application/json"}
    assert ask("POST", "/api/models/org/thing/paths-info/main", body, **headers)[0] == 200
    monkeypatch.setattr(Memory, "take", lambda self, count: _no())
    status, answer, _ = ask("POST", "/api/models/org/thing/paths-info/main", body, **headers)
    assert (status, answer["retry-after"]) == (503, "10")


async def _no() -> bool:
    return False


def test_125_a_large_card_is_pushed_unchecked(ask: Ask, api: Any) -> None:
    body = json.dumps({"content": "---\na: [\n---\n" + "ab\n" * 500_000}).encode()
    status, _, content = ask("POST", "/api/validate-yaml", body, **{"Content-Type": "application/json"})
    assert status == 200 and "not checked" in json.loads(content)["warnings"][0]["message"]
    short = json.dumps({"content": "---\na: [\n---\n" + "ab\n" * 1000}).encode()
    assert ask("POST", "/api/validate-yaml", short, **{"Content-Type": "application/json"})[0] == 400
