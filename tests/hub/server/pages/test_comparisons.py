"""What plugins tell of two commits: in a process that ends when it is late, and whatever they do."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from tests.hub.server.pages.test_compare import AFTER, BEFORE
from tests.hub.server.pages.test_pages import HTML, read
from tests.hub.server.uploads import Ask, count_calls
from zoo.hub.server.blobs import BlobStore
from zoo.hub.server.http import HttpError
from zoo.hub.server.pages import comparing
from zoo.hub.server.pages.comparisons import Comparisons
from zoo.hub.server.store import Store
from zoo.hub.server.trees import Entry

PLUGIN = """
import os
import zoo

def tables(before, after):
    CODE
    found = sorted(path.name for path in before.iterdir())
    bars = {"<1>": 3, "2": 0}
    rows = [["<b>", 12345, 0.00123, None, bars, float("nan")]] + [[str(number)] for number in range(ROWS)]
    yield zoo.ComparisonTable(title="found <i>", columns=["a"] * 20, rows=rows, note=" ".join(found))

@zoo.hookimpl
def zoo_comparisons():
    yield zoo.ComparisonSpec(name="scripted", summary="Scripted", target="zoo_scripted:tables")
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that puts a plugin where the server's process finds it, in place of all others."""

    def install(code: str = "pass", rows: int = 3) -> None:
        folder = tmp_path / "site"
        (folder / "zoo_scripted-1.0.dist-info").mkdir(parents=True, exist_ok=True)
        (folder / "zoo_scripted-1.0.dist-info" / "METADATA").write_text("Name: zoo-scripted\nVersion: 1.0\n")
        (folder / "zoo_scripted-1.0.dist-info" / "entry_points.txt").write_text("[zoo]\nscripted = zoo_scripted\n")
        (folder / "zoo_scripted.py").write_text(PLUGIN.replace("CODE", code).replace("ROWS", str(rows)))
        monkeypatch.syspath_prepend(folder)

    return install


@pytest.fixture
def values(api: HfApi, ask: Ask) -> Any:
    """Return a function that reads the page with values of two commits."""
    for number, content in enumerate((BEFORE, AFTER)):
        operations = [CommitOperationAdd("model.safetensors", content), CommitOperationAdd("x.txt", b"x")]
        api.create_commit("org/thing", operations, commit_message=str(number))
        api.create_tag("org/thing", tag=f"v{number}")
    return lambda: read(ask, "/compare?before=org/thing@v0&after=org/thing@v1&values=1")


def scripted(text: str) -> str:
    """Return the part of a page that the plugin of these tests made."""
    return text[text.index('id="values"') : text.index('id="settings"')]


def test_tables_of_plugins_are_shown_and_drawn(plugin: Any, values: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin("print('noise'); os.write(1, b'noise')", rows=400)
    started = count_calls(monkeypatch, "zoo.hub.server.pages.comparisons.Comparisons._run")
    text = scripted(values())
    text = text[text.index("<h3>found") :]  # past what plugins tell that are installed here
    assert values() and len(started) == 1
    for said in (
        "found &lt;i&gt;",
        "&lt;b&gt;",
        "12,345",
        "0.00123",
        "nan",
        "model.safetensors</p>",
        "101 more are not",
    ):
        assert said in text, said
    assert 'aria-label="&lt;1&gt;: 3, 2: 0"' in text and text.count("<rect") == 2
    assert "noise" not in text and "x.txt" not in text and text.count('<th scope="col">a</th>') == 12


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise zoo.IntegrityError(f'{before}/model.safetensors is broken')", "Scripted: before/model.safetensors is"),
        ("raise ValueError('secret')", "zoo-scripted failed: ValueError"),
        ("os._exit(3)", "not compared here"),
        ("os.system('sleep 600')", "not compared here"),
        ("kept = bytearray(1 << 62)", "failed: MemoryError"),
    ],
)
def test_a_plugin_that_fails_costs_a_line(
    plugin: Any, values: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    if "600" in code:
        monkeypatch.setattr(comparing, "SECONDS", 2)
    plugin(code)
    text = scripted(values())
    assert said in text and "secret" not in text
    assert ask("GET", "/healthz", **HTML)[0] == 200


def test_without_such_a_plugin_the_page_says_so(values: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Comparisons, "_ask", lambda *_: [])
    assert "Nothing that is installed beside this Hub compares values" in values()


def test_without_a_process_the_visitor_is_asked_to_come_again(
    values: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.hub.server.pages.comparisons.sys.executable", "/none")
    assert ask("GET", "/compare?before=org/thing@v0&after=org/thing@v1&values=1", **HTML)[0] == 503


@pytest.fixture
def comparisons() -> Iterator[Comparisons]:
    made = Comparisons()
    yield made
    made.close()


def test_so_many_wait_and_no_more(comparisons: Comparisons, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "hub")
    monkeypatch.setattr(comparisons, "_ask", lambda *_: [])

    async def ask_all() -> list[Any]:
        jobs = [comparisons.told(store.blobs, (str(number % 5), "b"), {}, {}) for number in range(12)]
        return await asyncio.gather(*jobs, return_exceptions=True)

    found = asyncio.run(ask_all())
    store.close()
    refused = [answer for answer in found if isinstance(answer, HttpError) and answer.status == 503]
    assert len(refused) == 2 and len([answer for answer in found if answer == []]) == 10


def test_what_is_too_large_is_not_read(comparisons: Comparisons, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = {"model.safetensors": Entry("model.safetensors", "0" * 40, "0" * 64, 1 << 40)}
    blobs: BlobStore = None  # type: ignore[assignment]
    assert asyncio.run(comparisons.told(blobs, ("a", "b"), huge, {})) is None and comparisons.started == 0
    monkeypatch.setattr(comparisons, "_ask", lambda *_: [])
    assert asyncio.run(comparisons.told(blobs, ("a", "a"), huge, huge)) == []  # none of it differs


def test_nothing_secret_is_passed_on(plugin: Any, values: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    plugin("raise zoo.IntegrityError(' '.join(sorted(os.environ)))")
    text = scripted(values())
    assert "PYTHONPATH" in text and "TOKEN" not in text and "HF_TOKEN" in os.environ
