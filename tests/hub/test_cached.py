"""The cache is looked after by commit, and never touches what is at work."""

import os
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from zoo.hub.cached import cached_commits, remove_commits
from zoo.hub.owner import new_owner
from zoo.hub.pull import pull_repo
from zoo.hub.push import push_folder


@pytest.fixture
def pulled(tmp_path: Path, served_hub: Any) -> Any:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "config.json").write_text("{}")
    (tmp_path / "source" / "model.safetensors").write_bytes(os.urandom(1000))
    push_folder(tmp_path / "source", "org/thing", hub=served_hub.url, message="first")
    return pull_repo("org/thing", hub=served_hub.url)


def test_what_was_pulled_is_listed(pulled: Any) -> None:
    (item,) = cached_commits()
    assert (item.repo, item.commit, item.files, item.refs) == ("org/thing", pulled.commit, 2, ("main",))
    assert item.verified is not None and item.verified.files == pulled.files


def test_nothing_in_an_empty_cache(served_hub: Any) -> None:
    assert cached_commits() == []
    assert remove_commits([], with_leftovers=True).size == 0


def test_a_dry_run_removes_nothing_and_says_the_same(pulled: Any) -> None:
    would = remove_commits(cached_commits(), dry_run=True)
    assert would.size == 1002 and len(cached_commits()) == 1
    assert remove_commits(cached_commits()).size == would.size
    assert cached_commits() == []


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(pulled: Any) -> None:
    blobs = Path(constants.HF_HUB_CACHE) / "models--org--thing" / "blobs"
    place, _, start, _ = new_owner().split("-")
    dead = blobs / f"{'a' * 64}.{place}-999999999-{start}-00000000.incomplete"
    living = blobs / f"{'a' * 64}.{new_owner()}.incomplete"
    elsewhere = blobs / f"{'a' * 64}.0123456789ab-1-1-00000000.incomplete"
    for path in (dead, living, elsewhere):
        path.write_bytes(b"123")
    removal = remove_commits([], with_leftovers=True)
    assert removal.leftovers == (dead,) and not dead.exists()
    assert living.exists() and elsewhere.exists()
