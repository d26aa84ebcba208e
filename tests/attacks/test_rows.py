"""The kinds of bad input by their numbers: each has a test that bears it."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
KINDS = {
    115: "names of files that another program runs or reads as its own",
    116: "revisions that git would not take",
    117: "text that steers a terminal",
    118: "lone surrogates",
    119: "user and password in an address",
    120: "HF_ENDPOINT with HF_TOKEN",
    121: "links, FIFOs and devices in the place of files and folders",
    122: "a store whose database is empty, cut or gone",
    123: "settings and files that ask for time or memory without bound",
    124: "other formats under the names of weights",
    125: "requests that cost more than their size",
    126: "less space than what is listed",
    127: "capabilities that outlive what they were given for",
    128: "bytes claimed by their hash",
}


def numbers() -> set[int]:
    """Return the numbers in the names of tests."""
    names = (
        name
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    )
    return {int(number) for name in names for number in re.findall(r"_(\d{3})(?=_)", name)}


@pytest.mark.parametrize("number", KINDS)
def test_every_kind_has_a_test(number: int) -> None:
    assert number in numbers(), f"no test bears {number}: {KINDS[number]}"
