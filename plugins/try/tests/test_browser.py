"""A real browser looks at each task's page, gives what is asked, and sees the answer."""

import re
from pathlib import Path
from typing import Any

import pytest
from try_pages import page_of
from try_weights import photo, sound

PHOTO, SOUND = "photo.png", "tone.wav"
TASKS: dict[str, tuple[str | dict[str, str], str, str]] = {
    "image-classification": (PHOTO, ".bars .first", "ant|bee|cat"),
    "object-detection": (PHOTO, "#answer td", "square"),
    "image-segmentation": (PHOTO, ".bars .first", "ground|square"),
    "text-classification": ({"text": "word1 word2", "pair": "word3"}, ".bars .first", "plain|striped"),
    "text-generation": ({"text": "word1 word2"}, "#answer .text", r"[\w\[]+"),
    "fill-mask": ({"text": "word1 [MASK] word2"}, ".bars .note", "word1.*word2"),
    "translation": ({"text": "word1 word2"}, "#answer .text", r"[\w\[]+"),
    "summarization": ({"text": "word1 word2"}, "#answer .text", r"[\w\[]+"),
    "unconditional-image-generation": ({"n": "9", "label": "2"}, "#answer img[alt='9 samples']", ""),
    "reconstruction": (PHOTO, "#answer .text", "reconstructions below"),
    "feature-extraction": ({"text": "word1 word2\nword3\nword1"}, ".matrix tbody td", "1.00"),
    "voice-activity-detection": (SOUND, "#answer table", "seconds"),
    "recommendation": ({"history": "i1,i2"}, "#answer table", "item"),
}
DRAWN = ("object-detection", "image-segmentation", "unconditional-image-generation", "reconstruction")


def given(browser: Any, what: str | list[str] | dict[str, str], folder: Path) -> None:
    """Fill the fields in, or choose files, which asks at once."""
    if isinstance(what, dict):
        for name, value in what.items():
            browser.value(f"document.getElementById('field-{name}').value = {value!r}")
        browser.value("document.querySelector('button.main').focus()")
        browser.press("Enter")
        return
    if isinstance(what, str):
        what = [str(photo(folder / what) if what == PHOTO else sound(folder / what))]
    field = browser.send("Runtime.evaluate", expression="document.getElementById('field-files')")["result"]["objectId"]
    browser.send("DOM.setFileInputFiles", files=what, objectId=field)


def waited(browser: Any, condition: str) -> Any:
    """Return what a condition comes to, once the page has changed so that it holds."""
    watch = f"""new Promise((done) => {{
      const look = () => {{ const found = {condition}; if (found) done(found); return found; }};
      const all = {{childList: true, subtree: true, attributes: true, characterData: true}};
      if (!look()) new MutationObserver(look).observe(document, all);
      setTimeout(() => done(null), 60000);
    }})"""
    answered = browser.send("Runtime.evaluate", expression=watch, awaitPromise=True, returnByValue=True)
    return answered["result"].get("value")


def opened(browser: Any, url: str) -> None:
    browser.open("about:blank")  # what differs behind the # alone is no other page
    browser.open(url)
    waited(browser, "!document.getElementById('question').hidden")


@pytest.mark.parametrize("task", TASKS)
def test_a_task_in_the_browser(task: str, browser: Any, weights: Any, tmp_path: Path) -> None:
    what, selector, wanted = TASKS[task]
    if what == SOUND:
        pytest.importorskip("soundfile")
    with page_of(weights(task)) as page:
        for width in (390, 1200):
            browser.size(width, 900)
            opened(browser, page.url)
            given(browser, what, tmp_path)
            status = waited(browser, "/^[0-9.]+ s$/.test(document.querySelector('.buttons .status').textContent)")
            assert status, browser.value("document.body.innerText")
            found = browser.value(f"document.querySelector({selector!r})?.textContent")
            assert re.search(wanted, found), found
            assert browser.value("document.documentElement.scrollWidth <= innerWidth")
            if task in DRAWN:
                assert waited(browser, "document.querySelector('#answer img')?.complete")
                assert browser.value("document.querySelector('#answer img').naturalWidth") >= 28
        assert not browser.console
        own = page.url.partition("#")[0]
        at_home = (own, f"blob:{own}", "data:", "about:blank")  # controls of sounds have pictures of their own
        assert not [asked for asked in browser.requests if not asked.startswith(at_home)]


def test_ways_are_told_apart_by_the_keyboard(browser: Any, weights: Any) -> None:
    with page_of(weights("text-classification")) as page:
        opened(browser, page.url)
        browser.value("document.querySelector('#ways button').focus()")
        for _ in range(1):
            browser.press("Tab")
        browser.press("Enter")
        assert waited(browser, "document.querySelector('button.main').textContent == 'Compare'")
        assert browser.value("document.querySelectorAll('#ways [aria-pressed=true]').length") == 1
        assert browser.value(
            "[...document.querySelectorAll('form input, form textarea')].every((one) => one.labels.length)"
        )


def test_what_goes_wrong_is_said(browser: Any, weights: Any, tmp_path: Path) -> None:
    with page_of(weights("fill-mask")) as page:
        opened(browser, page.url)
        given(browser, {"text": "<img src=x onerror=alert(1)> word1"}, tmp_path)
        assert "has no mask" in waited(browser, "document.querySelector('.error')?.textContent")
        given(browser, {"text": " "}, tmp_path)
        assert waited(browser, "/Text is empty/.test(document.querySelector('.error')?.textContent)")
        assert not [line for line in browser.console if "400" not in line]
    given(browser, {"text": "word1"}, tmp_path)
    assert waited(browser, "/has .zoo try. been stopped/.test(document.querySelector('.error')?.textContent)")


def test_an_address_without_the_token(browser: Any, weights: Any) -> None:
    with page_of(weights("fill-mask")) as page:
        browser.open(page.url.partition("#")[0])
        assert "open the address that `zoo try` printed" in waited(
            browser, "document.getElementById('notice').textContent"
        )
        assert browser.value("document.getElementById('question').hidden")
