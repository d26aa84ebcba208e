"""`zoo pull`."""

from typing import Any

CACHED = "me/tiny at COMMIT, 7 files verified  TMP/cache/models--me--tiny/snapshots/COMMIT"


def test_an_address(pushed: str, says: Any) -> None:
    assert says("pull", "hf://me/tiny", "--hub", "hub").splitlines() == [
        CACHED,
        'load it:  zoo.load("hf://me/tiny", hub="hub")',
    ]


def test_a_name_says_where_it_is_listed(pushed: str, says: Any) -> None:
    says("registry", "add", pushed, "--name", "tiny.demo", "--hub", "hub")
    assert says("pull", "tiny.demo", "--hub", "hub").splitlines() == [
        CACHED,
        "listed in TMP/config/zoo/registry.json",
        'load it:  zoo.load("tiny.demo", hub="hub")',
    ]


def test_plain_files(pushed: str, says: Any) -> None:
    assert says("pull", "hf://me/tiny", "--hub", "hub", "--to", "here").splitlines() == [
        "me/tiny at COMMIT, 7 files verified  here",
        'load it:  zoo.load("here")',
    ]
