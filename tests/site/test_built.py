"""The built site in a real Chromium, by `make site`; $ZOO_SITE is its folder."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.hub.server.pages.conftest import browser as browser
from tests.hub.server.pages.test_browser import contrast

SITE = Path(os.environ.get("ZOO_SITE", "nowhere")).resolve()
PAGES = sorted(SITE.rglob("*.html")) if SITE.is_dir() else []
pytestmark = pytest.mark.skipif(not PAGES, reason="no $ZOO_SITE; `make site` builds one and looks at it")


def test_every_page_on_a_phone_and_on_a_desk(browser: Any) -> None:
    for width in (360, 1280):
        browser.size(width, 800)
        for page in PAGES:
            browser.open(page.as_uri())
            assert browser.value("document.documentElement.scrollWidth") <= width, page
            broken = "[...document.images].filter(image => !image.naturalWidth && image.loading != 'lazy').length"
            assert browser.value(broken) == 0, page
    assert browser.console == []
    assert [url for url in browser.requests if not url.startswith(("file://", "about:", "data:"))] == []


def test_dark_and_light(browser: Any) -> None:
    seen = set()
    for scheme in ("light", "dark"):
        browser.colours(scheme)
        browser.open((SITE / "plugins.html").as_uri())
        back, ink = (browser.value(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color"))
        seen.add(back)
        assert contrast(back, ink) > 7
    assert len(seen) == 2


def test_chinese_pages_say_so(browser: Any) -> None:
    browser.open((SITE / "zh" / "gan.html").as_uri())
    assert browser.value("document.documentElement.lang") == "zh-CN"
    browser.open((SITE / "hub.html").as_uri())
    assert browser.value("document.documentElement.lang") == "en"
