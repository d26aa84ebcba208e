"""A plugin index under /plugins: its files and no others, to whoever may read the Hub, in light and in dark."""

import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.authoring.conftest import make_wheel
from tests.hub.server.pages.test_browser import contrast
from zoo.authoring.index import write_index
from zoo.authoring.reading import MAX_BYTES, read_index
from zoo.cli import run
from zoo.errors import AuthorizationError, IntegrityError, NotFoundError
from zoo.hub.server.options import Options
from zoo.hub.server.serving import ServedHub, serve_folder

MANIFEST = """{"schema_version": 1, "distribution": "NAME", "version": "1.0", "offers": {"models":
[{"name": "wren", "summary": "A small bird, named for its song",
"modality": "image", "task": "image-classification"}]}}"""
RESULTS = """{"schema_version": 1, "distribution": "zoo-wren", "version": "1.0", "zoo": "0.1.0", "torch": "2.13.0",
"python": "3.11.7", "date": "2026-11-30", "results": [{"kind": "model", "name": "wren", "passed": 30}]}"""


@pytest.fixture
def index(tmp_path: Path) -> Path:
    wheels = [make_wheel(tmp_path, name, "1.0", code="", manifest=MANIFEST.replace("NAME", name)) for name in NAMES]
    (tmp_path / "results.json").write_text(RESULTS)
    write_index(wheels, tmp_path / "index", [tmp_path / "results.json"])
    return tmp_path / "index"


NAMES = ("zoo-wren", "zoo-jay", "zoo-a-bird-whose-name-is-so-long-that-no-phone-can-show-it-on-one-line")


@pytest.fixture
def hub(tmp_path: Path, index: Path, monkeypatch: Any) -> Iterator[ServedHub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve_folder(tmp_path / "hub", options=Options(plugins=index)) as served:
        yield served


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_its_files_are_shown_with_a_policy_and_no_others(hub: ServedHub, index: Path) -> None:
    with urllib.request.urlopen(f"{hub.url}/plugins") as answer:
        assert answer.url == f"{hub.url}/plugins/" and b"zoo-wren" in answer.read()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for name in os.listdir(index):
        with urllib.request.urlopen(f"{hub.url}/plugins/{name}") as answer:
            assert answer.read() == (index / name).read_bytes()
    (index / "notes.txt").write_text("secret")
    (index / "link.json").symlink_to(hub.folder / "store.db")
    (index / "folder.json").mkdir()
    os.mkfifo(index / "pipe.json")
    for name in (
        "notes.txt",
        "link.json",
        "folder.json",
        "pipe.json",
        "..%2Fhub%2Ftoken",
        "%2e%2e",
        "none.html",
        "%00.json",
    ):
        assert status(f"{hub.url}/plugins/{name}") == 404, name
    with urllib.request.urlopen(f"{hub.url}/") as answer:
        assert b'href="/plugins/"' in answer.read()


def test_without_a_folder_there_is_no_such_page(tmp_path: Path) -> None:
    with serve_folder(tmp_path / "hub") as served, urllib.request.urlopen(f"{served.url}/") as answer:
        assert b"/plugins" not in answer.read()
        assert status(f"{served.url}/plugins/index.html") == 404


def test_it_is_read_with_a_token_where_the_hub_is(tmp_path: Path, index: Path, monkeypatch: Any) -> None:
    for name in ("HF_TOKEN", "ZOO_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serve_folder(tmp_path / "hub", options=Options(plugins=index, anonymous=False)) as served:
        assert status(f"{served.url}/plugins/index.json") == 401
        with pytest.raises(AuthorizationError):
            read_index(f"{served.url}/plugins")
        monkeypatch.setenv("ZOO_HUB_TOKEN", served.token)
        monkeypatch.setenv("ZOO_HUB", served.url)
        assert len(read_index(f"{served.url}/plugins")) == 3


def test_it_is_listed_from_its_address_and_by_pattern(hub: ServedHub, index: Path, capsys: Any) -> None:
    for where in (f"{hub.url}/plugins", f"{hub.url}/plugins/", f"{hub.url}/plugins/index.json", str(index)):
        assert run(["plugins", "list", "--index", where, "zoo-w*"]) == 0
        head, row, _, count = capsys.readouterr().out.split("\n")[:4]
        assert head.split() == ["PLUGIN", "VERSION", "HERE", "LICENSE", "CHECKED", "OFFERS"]
        assert row.split() == ["zoo-wren", "1.0", "-", "unknown", "30", "passed", "models", "wren"]
        assert count == "1 plugin. `zoo plugins install NAME` installs one"
    assert run(["plugins", "list", "--index", f"{hub.url}/plugins", "image-class"]) == 0
    assert capsys.readouterr().out.split("\n")[-2].startswith("3 plugins")


def test_what_is_no_index_is_one_line(hub: ServedHub, index: Path, tmp_path: Path) -> None:
    for where in (f"{hub.url}/none", str(tmp_path / "none")):
        with pytest.raises(NotFoundError, match="no plugin index"):
            read_index(where)
    for content in (b"<html>", b"{}", b'{"schema_version": 1, "plugins": {}}', b" " * (MAX_BYTES + 1), b"[" * 100_000):
        (index / "index.json").write_bytes(content)
        for where in (f"{hub.url}/plugins", str(index)):
            with pytest.raises(IntegrityError):
                read_index(where)


def test_it_is_readable_on_a_phone_and_in_the_dark(hub: ServedHub, browser: Any) -> None:
    for page in ("", "zoo-wren-1.0.html", f"{NAMES[2]}-1.0.html"):
        for scheme in ("light", "dark"):
            browser.colours(scheme)
            for width in (360, 1200):
                browser.size(width, 740)
                browser.open(f"{hub.url}/plugins/{page}")
                assert browser.value("document.documentElement.scrollWidth") <= width, page
                back, ink, faint = (
                    browser.value(f"getComputedStyle({element}).{name}")
                    for element, name in (
                        ("document.body", "backgroundColor"),
                        ("document.body", "color"),
                        ("document.querySelector('th')", "color"),
                    )
                )
                assert contrast(back, ink) > 7 and contrast(back, faint) > 4.5
    assert [text for text in browser.console if "favicon" not in text] == []
    assert [url for url in browser.requests if not url.startswith((hub.url, "about:"))] == []
