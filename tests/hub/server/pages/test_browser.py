"""The pages in a real Chromium."""

from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

CARD = b"""---
pipeline_tag: image-classification
---
# Thing

| a | wide | table | with | many | columns | that | no | phone | can | show | at | once |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
| 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 |

<script>alert(1)</script><img src="https://evil.example/x.png" onerror="alert(2)">

    a line of code that is much longer than any phone is wide, and so scrolls inside its own block
"""


@pytest.fixture
def hub(api: HfApi, served_hub: Any) -> str:
    files = {"README.md": CARD, "config.json": b'{"zoo": {}}', f"{'long-name' * 20}.txt": b"text"}
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit("org/thing", operations, commit_message="first")
    return str(served_hub.url)


PAGES = (
    "/",
    "/org/thing",
    "/org/thing/tree/main",
    "/org/thing/blob/main/config.json",
    "/org/thing/commits/main",
    "/none/none",
)


def test_nothing_is_refused_and_nothing_fetched_elsewhere(browser: Any, hub: str) -> None:
    for page in PAGES:
        browser.open(hub + page)
    complaints = [text for text in browser.console if "404" not in text]
    assert complaints == []
    assert [url for url in browser.requests if not url.startswith((hub, "about:"))] == []
    assert any(url.split("?")[0].endswith("style.css") for url in browser.requests)


def test_a_phone_never_scrolls_sideways(browser: Any, hub: str) -> None:
    browser.size(360, 740)
    for page in PAGES:
        browser.open(hub + page)
        assert browser.value("document.documentElement.scrollWidth") <= 360, page


def test_dark_and_light(browser: Any, hub: str) -> None:
    seen = set()
    for scheme in ("light", "dark"):
        browser.colours(scheme)
        browser.open(f"{hub}/org/thing")
        back, ink = (browser.value(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color"))
        seen.add(back)
        assert contrast(back, ink) > 7
    assert len(seen) == 2


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_by_keyboard_alone(browser: Any, hub: str) -> None:
    browser.open(f"{hub}/")
    browser.press("Tab")
    assert browser.value("document.activeElement.textContent") == "Skip to the content"
    seen = set()
    for _ in range(20):
        browser.press("Tab")
        seen.add(browser.value("document.activeElement.getAttribute('href') || document.activeElement.name"))
        assert browser.value("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if "/org/thing" in seen:
            break
    assert {"/datasets", "search", "sort", "/org/thing"} <= seen
    loaded = browser._loaded
    browser.press("Enter")
    while browser._loaded == loaded:
        browser._note(browser._next())
    assert browser.value("location.pathname") == "/org/thing"
    browser.press("/")
    assert browser.value("document.activeElement.type") == "search"


def test_lines_can_be_copied(browser: Any, hub: str) -> None:
    browser.open(f"{hub}/org/thing")
    assert browser.value("document.querySelectorAll('pre.copy > button').length") >= 2
    assert f'hub="{hub}"' in browser.value("document.querySelector('.use pre code').textContent")


def test_a_private_repo_after_logging_in(browser: Any, hub: str, api: HfApi, served_hub: Any) -> None:
    api.update_repo_settings("org/thing", private=True)
    browser.open(f"{hub}/org/thing")
    assert browser.value("document.querySelector('h1').textContent") == "404"
    browser.open(hub.replace("//", f"//me:{served_hub.token}@") + "/login")
    browser.open(f"{hub}/org/thing")
    assert browser.value("document.querySelector('.chip').textContent") == "private"
    assert browser.value("document.querySelector('.me').textContent") == "zoo"
