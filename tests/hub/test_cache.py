"""A cache that somebody else wrote to: links are not followed, and old records not trusted further than they go."""

import json
from pathlib import Path

import pytest

from tests.hub.lying import COMMIT, GOOD, LyingHub, git_id, tree
from zoo.errors import IntegrityError
from zoo.hub.cache import Cache
from zoo.hub.cached import cached_commits, remove_commits
from zoo.hub.listing import FileSelection
from zoo.hub.pull import pull_repo

ALL = FileSelection(everything=True)


def test_a_cache_that_an_earlier_zoo_wrote(lying: LyingHub, tmp_path: Path) -> None:
    """It noted no list, and may hold names that are not written any more: they are not copied."""
    lying.files = {**GOOD, "modeling.py": b"run()"}
    pulled = pull_repo("org/thing", revision=COMMIT, hub=lying.url)
    path = Cache("org/thing").folder / "zoo" / f"{COMMIT}.json"
    record = json.loads(path.read_text())
    del record["listed"]
    record["files"].append({"name": ".envrc", "sha256": "a" * 64, "size": 2})
    (pulled.folder / ".envrc").write_text("ab")
    path.write_text(json.dumps({**record, "whole": True}))
    copied = pull_repo("org/thing", revision=COMMIT, offline=True, to=tmp_path / "to")
    assert sorted(file.name for file in copied.files) == sorted(path.name for path in (tmp_path / "to").iterdir())
    assert sorted(file.name for file in copied.files) == sorted(GOOD)
    assert len(pull_repo("org/thing", revision=COMMIT, hub=lying.url, selection=ALL).files) == 3


@pytest.mark.parametrize(
    "place", ["", "blobs", "snapshots", f"snapshots/{COMMIT}", f"snapshots/{COMMIT}/pictures", "refs", "zoo"]
)
def test_links_in_the_cache_are_not_written_through(outside: Path, lying: LyingHub, place: str) -> None:
    lying.files = {**GOOD, "pictures/a.png": b"x"}
    link, before = Cache("org/thing").folder / place, tree(outside)
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    with pytest.raises(IntegrityError, match="holds links"):
        pull_repo("org/thing", hub=lying.url)
    assert tree(outside) == before


def test_a_planted_leftover_is_not_gone_on_with(outside: Path, lying: LyingHub) -> None:
    blobs = Cache("org/thing").blobs
    blobs.mkdir(parents=True)
    for number, content in enumerate(lying.files.values()):
        (blobs / f"{git_id(content)}.free-{number}.incomplete").symlink_to(outside / "notes.txt")
    before = tree(outside)
    assert len(pull_repo("org/thing", hub=lying.url).files) == 2
    assert tree(outside) == before


def test_links_to_elsewhere_are_not_removed_through(outside: Path, lying: LyingHub) -> None:
    pulled = pull_repo("org/thing", hub=lying.url)
    (pulled.folder / "b.md").symlink_to(outside / "notes.txt")
    with pytest.raises(IntegrityError, match="is a link out of"):
        remove_commits(cached_commits())
    (pulled.folder / "b.md").unlink()
    assert (outside / "notes.txt").read_text() == "mine"
    assert remove_commits(cached_commits()).size
