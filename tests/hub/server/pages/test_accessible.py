"""Every page by axe-core, which finds what a screen reader, a keyboard or weak eyes cannot use.

axe-core is under the MPL and is not part of Zoo: `make test-axe` gets it from npm, or $ZOO_AXE names an axe.min.js.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from tests.hub.server.pages.test_compare import files
from tests.hub.server.pages.test_compare import two as two

AXE = os.environ.get("ZOO_AXE", "")
PAGES = (
    "/",
    "/?modality=image&sort=score",
    "/none",
    "/org/thing",
    "/org/empty",
    "/org/thing/tree/main",
    "/org/thing/blob/main/config.json",
    "/org/thing/commits/main",
    "/org/thing/commit/v1",
    "/new",
    "/tokens",
    "/org/thing/settings",
    "/org/thing/edit/main/README.md",
    "/org/thing/upload/main",
    "/compare",
    "/compare?before=org/thing@v1&after=org/thing&values=1",
    "/none/none",
)
RUN = """axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations
    .filter((item) => ["serious", "critical", "moderate"].includes(item.impact))
    .map((item) => [item.id, item.impact, item.nodes.map((node) => node.html).slice(0, 3)]))"""


@pytest.mark.skipif(not AXE, reason="no axe-core here; `make test-axe` gets it from npm")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_no_page_has_a_finding(browser: Any, two: HfApi, served_hub: Any, scheme: str, width: int) -> None:
    two.create_repo("org/empty")
    browser.colours(scheme)
    browser.size(width, 800)
    browser.log_in(served_hub)
    found = {}
    for page in PAGES:
        browser.open(served_hub.url + page.replace("commit/v1", f"commit/{two.model_info('org/thing').sha}"))
        assert browser.value("document.documentElement.scrollWidth") <= width, page
        browser.value(Path(AXE).read_text())
        answer = browser.send("Runtime.evaluate", expression=RUN, returnByValue=True, awaitPromise=True)
        if violations := answer["result"]["value"]:
            found[page] = violations
    assert found == {}


def test_a_repo_is_made_edited_compared_and_deleted_by_keyboard(browser: Any, api: HfApi, served_hub: Any) -> None:
    hub = served_hub.url
    browser.log_in(served_hub)
    browser.open(f"{hub}/new")
    reach(browser, "name")
    browser.type("by-keyboard")
    browser.follow(lambda: browser.press("Enter"))
    assert browser.value("location.pathname") == "/zoo/by-keyboard"
    operations = files(b"", 1, 0.5, "first")
    api.create_commit("zoo/by-keyboard", operations[1:], commit_message="files")
    browser.open(f"{hub}/zoo/by-keyboard/edit/main/README.md")
    reach(browser, "content")
    browser.type("typed")
    reach(browser, "do")
    browser.follow(lambda: browser.press("Enter"))
    assert "typed" in browser.value("document.querySelector('article.card').textContent")
    reach(browser, "do", 2)
    browser.follow(lambda: browser.press("Enter"))
    assert browser.value("location.pathname").startswith("/zoo/by-keyboard/commit/")
    reach(browser, "/compare", of="pathname")
    browser.follow(lambda: browser.press("Enter"))
    assert "typed" in browser.value("document.querySelector('.lines .added').textContent")
    browser.open(f"{hub}/zoo/by-keyboard/settings")
    reach(browser, "confirm")
    browser.type("zoo/by-keyboard")
    browser.follow(lambda: browser.press("Enter"))
    assert not api.repo_exists("zoo/by-keyboard")
    assert [text for text in browser.console if "404" not in text] == []


def reach(browser: Any, name: str, times: int = 1, of: str = "name") -> None:
    """Press Tab until something of that name has been reached so many times."""
    for _ in range(80):
        browser.press("Tab")
        times -= browser.value(f"document.activeElement.{of}") == name
        if not times:
            return
    raise AssertionError(f"no {name} on {browser.value('location.href')}")


def test_no_page_scrolls_sideways_on_a_phone(browser: Any, two: HfApi, served_hub: Any) -> None:
    two.create_commit(
        "org/thing", [CommitOperationAdd(f"{'deep/' * 12}{'name' * 30}.txt", b"x")], commit_message="x" * 90
    )
    two.create_repo("org/empty")
    browser.size(360, 740)
    browser.log_in(served_hub)
    for page in PAGES:
        browser.open(served_hub.url + page)
        assert browser.value("document.documentElement.scrollWidth") <= 360, page
