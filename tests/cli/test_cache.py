"""`zoo cache`."""

from typing import Any

import pytest

from zoo.hub.cached import cached_commits


@pytest.fixture
def pulled(pushed: str, says: Any) -> str:
    says("pull", "hf://me/tiny", "--hub", "hub")
    return "hf://me/tiny"


def test_ls(pulled: str, says: Any) -> None:
    ((commit,),) = ([item.commit for item in cached_commits()],)
    head, line = says("cache", "ls").splitlines()
    assert head.split() == ["NAME", "COMMIT", "MB", "FILES", "REFS", "VERIFIED"]
    assert line.split(maxsplit=5) == ["hf://me/tiny", commit[:7], "0.0", "7", "main", "by zoo"]


def test_verify(pulled: str, says: Any) -> None:
    assert says("cache", "verify", pulled) == "me/tiny at COMMIT: 7 files as they should be\n"


def test_rm(pulled: str, says: Any) -> None:
    shown = "me/tiny at COMMIT\n{} 1 commit and 0 leftovers, 0.0 MB\n"
    assert says("cache", "rm", pulled, "--dry-run") == shown.format("would remove")
    assert says("cache", "rm", pulled) == shown.format("removed")
    assert says("cache", "ls").splitlines() == ["NAME  COMMIT  MB  FILES  REFS  VERIFIED"]


def test_prune(pulled: str, says: Any) -> None:
    assert says("cache", "prune") == "removed 0 commits and 0 leftovers, 0.0 MB\n"
