"""Cards that cost more than a card may: counted are processes, renderings and bytes."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from zoo.hub.server.pages import cards as cards_module
from zoo.hub.server.pages import renderer as renderer_module
from zoo.hub.server.pages import worker
from zoo.hub.server.pages.cards import Card, Cards
from zoo.hub.server.pages.renderer import CardRefusedError, NoProcessError, Renderer
from zoo.hub.server.store import Store
from zoo.hub.server.trees import Entry

Ask = Callable[..., tuple[int, dict[str, str], bytes]]
MANY_REFERENCES = "[a]: http://x/" + "b" * 20_000 + "\n\n" + "[a] " * 10_000


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MAX_SECONDS", 0)  # and the rest of a whole second, as the kernel counts
    monkeypatch.setattr(worker, "MAX_MEMORY", 48 * 1024 * 1024)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "hub")
    store.commits.create_repo("models", "org/thing", False, "zoo")
    yield store
    store.close()


@pytest.fixture
def cards() -> Iterator[Cards]:
    cards = Cards()
    yield cards
    cards.close()


def written(store: Store, text: str) -> Entry:
    blob = store.blobs.write(text.encode())
    repo = store.repos.find("models", "org/thing")
    assert repo is not None
    with store.database.transaction() as connection:
        store.blobs.keep(connection, repo.id, [blob])
    return Entry("README.md", "0" * 40, blob.sha256, blob.size)


def shown(cards: Cards, store: Store, *texts: str) -> list[Card]:
    """Return what several readers see who ask at once."""

    async def ask() -> list[Card]:
        entries = [written(store, text) for text in texts]
        return await asyncio.gather(*(cards.card(store.blobs, entry, "/org/thing", "main") for entry in entries))

    return asyncio.run(ask())


def gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_125_one_reference_used_ten_thousand_times(
    api: HfApi, ask: Ask, served_hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    render = Renderer.render
    monkeypatch.setattr(Renderer, "render", lambda self, text, *rest: asked.append(1) or render(self, text, *rest))
    card = MANY_REFERENCES + "<script>alert(1)</script>"
    api.create_commit("org/thing", [CommitOperationAdd("README.md", card.encode())], commit_message="card")
    for _ in range(3):
        status, _, body = ask("GET", "/org/thing", Accept="text/html")
        assert status == 200 and len(body) < 200_000
        assert (
            b"This card is shown as plain text" in body and b"&lt;script&gt;" in body and b"<script>alert" not in body
        )
    assert len(asked) == 1
    api.create_commit("org/thing", [CommitOperationAdd("README.md", b"**fine**")], commit_message="card")
    assert b"<strong>fine</strong>" in ask("GET", "/org/thing", Accept="text/html")[2]


@pytest.mark.parametrize(
    "card",
    [
        MANY_REFERENCES,
        "![a" * 160_000,
        "|a" * 20_000 + "|\n" + "|-" * 20_000 + "|\n" + "|\n" * 20_000,
        "<b>" * 170_000,
        ">" * 200_000 + "a",
        "".join("  " * depth + "- a\n" for depth in range(700)),
        "---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\n# Thing",
        "x" * 600_000,
    ],
    ids="references pictures table tags quotes lists aliases long".split(),
)
def test_125_cards_cost_bounded(cards: Cards, store: Store, card: str) -> None:
    (seen,) = shown(cards, store, card)
    assert (seen.html is None) == bool(seen.reason)
    assert len(seen.html or seen.plain) <= worker.MAX_HTML
    assert cards.renderer.started <= 1
    (again,) = shown(cards, store, card)
    assert again == seen and cards.renderer.started <= 1


def test_125_a_card_that_takes_too_long_ends_the_process_and_not_the_next_card(cards: Cards, store: Store) -> None:
    first, second = shown(cards, store, "![a" * 160_000, "# Fine")
    assert first.html is None and "plain text" in first.reason
    assert second.html == "<h1>Fine</h1>\n"
    assert (cards.renderer.started, cards.renderer.ended) == (2, 1)


def test_a_card_without_a_word_is_an_empty_page(cards: Cards, store: Store) -> None:
    (seen,) = shown(cards, store, "---\nlicense: mit\n---\n")
    assert seen == Card("")


def test_no_process_before_a_card_is_asked_for(api: HfApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    popen = subprocess.Popen
    monkeypatch.setattr(renderer_module.subprocess, "Popen", lambda *a, **k: started.append(1) or popen(*a, **k))
    for path in ("/", "/org/thing", "/org/thing/tree/main", "/org/thing/commits/main", "/api/models/org/thing"):
        assert ask("GET", path, Accept="text/html")[0] == 200
    assert not started
    api.create_commit("org/thing", [CommitOperationAdd("README.md", b"# Card")], commit_message="card")
    for _ in range(3):
        assert b"<h1>Card</h1>" in ask("GET", "/org/thing", Accept="text/html")[2]
    assert len(started) == 1


def test_everybody_who_asks_for_a_card_shares_its_rendering(
    cards: Cards, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[int] = []
    render = cards.renderer.render
    monkeypatch.setattr(cards.renderer, "render", lambda *question: rendered.append(1) or render(*question))
    seen = shown(cards, store, *["# Same"] * 50)
    assert {str(card.html) for card in seen} == {"<h1>Same</h1>\n"}
    assert len(rendered) == 1


def test_a_long_queue_is_shown_as_plain_text_and_rendered_later(
    cards: Cards, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards_module, "_MAX_WAITING", 4)
    texts = [f"# Card {number}" for number in range(12)]
    seen = shown(cards, store, *texts)
    assert [card.html is None for card in seen] == [False] * 4 + [True] * 8
    assert "load this one again" in seen[-1].reason and seen[-1].plain == texts[-1]
    assert shown(cards, store, texts[-1])[0].html == "<h1>Card 11</h1>\n"


def test_what_is_kept_is_bounded_in_bytes(cards: Cards, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards_module, "_MAX_CACHED", 100_000)
    for number in range(8):
        shown(cards, store, f"{number} " * 10_000)
        assert cards.cached_bytes <= 100_000
    assert cards.cached_bytes > 20_000
    assert cards.renderer.started == 1


def test_a_process_that_stands_still_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Renderer()
    try:
        assert renderer.render("*a*", "/org/thing", "main") == "<p><em>a</em></p>\n"
        process = renderer._process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        monkeypatch.setattr(renderer_module, "_LATEST", 0.1)
        with pytest.raises(CardRefusedError):
            renderer.render("*b*", "/org/thing", "main")
        assert process.returncode == -signal.SIGKILL
        monkeypatch.undo()
        assert renderer.render("*b*", "/org/thing", "main") == "<p><em>b</em></p>\n"
        assert (renderer.started, renderer.ended) == (2, 1)
    finally:
        renderer.close()


def test_a_process_that_somebody_killed_is_started_again() -> None:
    renderer = Renderer()
    try:
        renderer.render("a", "/org/thing", "main")
        assert renderer._process is not None
        renderer._process.kill()
        renderer._process.wait()
        assert renderer.render("b", "/org/thing", "main") == "<p>b</p>\n"
        assert (renderer.started, renderer.ended) == (2, 0)
    finally:
        renderer.close()


def test_without_a_process_cards_are_plain_and_tried_again(
    cards: Cards, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        with pytest.raises(NoProcessError):
            cards.renderer.render("a", "/org/thing", "main")
        (seen,) = shown(cards, store, "# Card")
    assert seen.html is None and seen.plain == "# Card" and "load this one again" in seen.reason
    assert shown(cards, store, "# Card")[0].html == "<h1>Card</h1>\n"


def test_the_process_has_no_secret_and_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    renderer = Renderer()
    try:
        renderer.render("a", "/org/thing", "main")
        assert renderer._process is not None
        folder = Path(f"/proc/{renderer._process.pid}")
        assert b"hf_secret" not in (folder / "environ").read_bytes()
        assert "torch" not in (folder / "maps").read_text()
        limits = (folder / "limits").read_text()
        assert re.search(rf"Max address space +{worker.MAX_MEMORY} ", limits)
        assert re.search(r"Max cpu time +[1-9] ", limits)
    finally:
        renderer.close()


def test_the_process_ends_with_its_server_however_that_ends() -> None:
    program = (
        "from zoo.hub.server.pages.renderer import Renderer\n"
        "renderer = Renderer(); renderer.render('a', '/org/thing', 'main')\n"
        "print(renderer._process.pid, flush=True); input()"
    )
    server = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with server:
        assert server.stdout is not None
        process = int(server.stdout.readline())
        assert not gone(process)
        server.kill()
    for _ in range(1000):
        if gone(process):
            return
        time.sleep(0.01)
    raise AssertionError("the process that renders outlived its server")
