"""A card's front matter is data from a stranger."""

import time

import pytest

from zoo.hub.server.frontmatter import front_matter


def test_front_matter_is_read() -> None:
    assert front_matter("---\nlicense: mit\n---\ntext") == {"license": "mit"}


@pytest.mark.parametrize("text", ["", "text", "---\nno end", "---\n- a list\n---\n", "---\n: [\n---\n"])
def test_anything_else_is_nothing(text: str) -> None:
    assert front_matter(text) == {}


@pytest.mark.parametrize(
    "bomb", ["---\n" + "\n" * 500_000, "---" + " \n" * 300_000, "-" * 1_000_000, "---\n" + "-- " * 300_000]
)
def test_021_regex_bombs_take_linear_time(bomb: str) -> None:
    start = time.perf_counter()
    front_matter(bomb)
    assert time.perf_counter() - start < 5
