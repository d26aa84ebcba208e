"""What reaches a terminal: every character, by what it would do there."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.printable import counted, printable

JOINERS = "\u200c\u200d"


def obeyed(text: str) -> list[str]:
    """Return the characters of a text that a terminal obeys or nobody sees."""
    return [
        character
        for character in text
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in JOINERS
    ]


def test_117_no_character_that_a_terminal_obeys_is_left() -> None:
    kept = [
        f"U+{code:04X}"
        for code in range(sys.maxunicode + 1)
        if obeyed(printable(chr(code)))
        # signs of quantity and of verses, which stand before digits and are seen
        and not 0x600 <= code <= 0x605
        and code not in (0x6DD, 0x70F, 0x890, 0x891, 0x8E2)
        # notes and strokes of old scripts, which are drawn
        and not (0x110BD <= code <= 0x110CD or 0x13430 <= code <= 0x1345F or code > 0x1BC9F and code < 0x1D17B)
    ]
    assert kept == []


@given(st.text(st.characters(codec=None)))
def test_117_whatever_it_is_it_stays_one_line_and_is_changed_once(text: str) -> None:
    shown = printable(text)
    assert not set(shown) & {chr(code) for code in (*range(32), *range(127, 160), 0x202E, 0x2028)}
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown
    assert printable(text, lines=True).count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x9b2J\x7f", r"\x9b2J\x7f"),
        ("a\u202etxt.exe", r"a\u202etxt.exe"),
        ("one\ntwo\r\tthree", r"one\ntwo\r\tthree"),
        ("name\ud800\udcff", r"name\ud800\udcff"),
        ("\ufeffmodel\u200b", r"\ufeffmodel\u200b"),
        ("\U000e0041", r"\U000e0041"),
        ("pay\u200dpal", r"pay\u200dpal"),
    ],
)
def test_117_shown_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["日本語　の名前", "می‌خواهم", "👩‍🚀 flies", "क्‍ष", "naïve café", "10\u00a0000", "עברית", "C:\\x1b is text"]
)
def test_what_scripts_need_stays(text: str) -> None:
    assert printable(text) == text


def test_line_ends_stay_where_they_are_meant() -> None:
    assert printable("# card\n\ttext\x1b\r\n", lines=True) == "# card\n\ttext\\x1b\\r\n"


@pytest.mark.parametrize(("number", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (12_000, "12,000 rows")])
def test_one_of_a_kind_is_no_plural(number: int, said: str) -> None:
    assert counted(number, "row") == said
    assert counted(number, "box", "boxes") == said.replace("rows", "boxes").replace("row", "box")
