"""`zoo registry`."""

from typing import Any

import pytest

LISTED = "TMP/config/zoo/registry.json"


@pytest.fixture
def added(pushed: str, says: Any) -> str:
    return str(says("registry", "add", pushed, "--name", "tiny.demo", "--hub", "hub"))


def test_add(added: str) -> None:
    assert added == f"tiny.demo: me/tiny at COMMIT, 7 files, mit  {LISTED}\n"


def test_check(added: str, says: Any) -> None:
    assert says("registry", "check", "--hub", "hub") == "tiny.demo: ok\n"


def test_check_without_a_registry(tiny: None, says: Any) -> None:
    assert says("registry", "check") == f"no registry {LISTED} yet; `zoo registry add` makes it\n"


def test_search(added: str, says: Any) -> None:
    head, line, last = says("registry", "search", "tiny.demo").splitlines()
    assert head.split() == ["NAME", "REPO", "TASK", "LICENSE", "LISTED", "IN", "NEEDS"]
    assert line.split() == ["tiny.demo", "me/tiny", "image-classification", "mit", LISTED]
    assert last == "1 weights. `zoo pull NAME` fetches them"


def test_remove(added: str, says: Any) -> None:
    assert says("registry", "remove", "tiny.demo") == f"tiny.demo removed from {LISTED}\n"
