"""A card's front matter is data from a stranger."""

import pytest

from zoo.hub.server.frontmatter import front_matter, parse


def test_front_matter_is_read() -> None:
    assert front_matter("---\nlicense: mit\n---\ntext") == {"license": "mit"}


@pytest.mark.parametrize("text", ["", "text", "---\nno end", "---\n- a list\n---\n", "---\n: [\n---\n"])
def test_anything_else_is_nothing(text: str) -> None:
    assert front_matter(text) == {}


@pytest.mark.parametrize(
    "bomb", ["---\n" + "\n" * 500_000, "---" + " \n" * 300_000, "-" * 1_000_000, "---\n" + "-- " * 300_000]
)
def test_021_regex_bombs_take_linear_time(bomb: str) -> None:
    assert front_matter(bomb) == {}  # whatever went over it once for each line would be at it for hours


@pytest.mark.parametrize(
    "hostile",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]",  # aliases that multiply
        "a: " + "[" * 5_000,
        "a: " + "[" * 40 + "]" * 40,
        "a: !!python/object/apply:os.system [id]",
        "a: " + "x" * 70_000,
    ],
)
def test_hostile_yaml_is_refused(hostile: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse(hostile)
    assert front_matter(f"---\n{hostile}\n---\n") == {}


def test_dates_and_odd_keys_become_json() -> None:
    text = "date: 2026-01-02\n1: one\nnot a number: .nan\n"
    assert parse(text) == {"date": "2026-01-02", "1": "one", "not a number": None}


@pytest.mark.parametrize(
    "number",
    ["1" + ":1" * 30_000, "9" * 4_000, "0x" + "f" * 3_000, "!!int '1" + ":1" * 30_000 + "'", "1" + ":1" * 99],
    ids=["base 60", "base 10", "base 16", "said to be one", "just too long"],
)
def test_125_numbers_that_grow(number: str) -> None:
    with pytest.raises(ValueError, match="more than 100 digits"):
        parse(f"a: {number}")
    assert parse(f"a: '{number[:200].replace(chr(39), '')}'")
