"""Revisions, commits and hashes that come from outside are git's, or nothing is asked and nothing touched."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from tests.hub.lying import COMMIT, EXAMPLES, LyingHub, registry, tree
from zoo.cli import run
from zoo.errors import IntegrityError, UsageError, ZooError
from zoo.hub.mirror import mirror
from zoo.hub.pull import pull_repo
from zoo.hub.revisions import is_revision


def test_116_any_revision(outside: Path, lying: LyingHub, tmp_path: Path) -> None:
    """Any revision is either git's or refused as a wrong argument, with nothing asked and nothing touched."""
    cache = Path(constants.HF_HUB_CACHE)
    pieces = st.sampled_from(
        ["..", ".", "/", "//", "a", "-", "@{", "\\", ".lock", "\0", "\n", " ", "~", "\ud800", "refs"]
    )
    revisions = st.lists(st.one_of(pieces, st.text(max_size=4)), max_size=6).map("".join)

    @settings(max_examples=EXAMPLES, database=None, derandomize=EXAMPLES < 1000)
    @given(
        revision=st.one_of(revisions, st.sampled_from([str(outside / "notes.txt"), "../../../../outside/notes.txt"]))
    )
    def check(revision: str) -> None:
        before, asked = tree(tmp_path, but=(cache,)), len(lying.asked)
        refs = cache / "models--org--thing" / "refs"
        with suppress(ZooError):
            pull_repo("org/thing", hub=lying.url, revision=revision)
        assert tree(tmp_path, but=(cache,)) == before
        if not is_revision(revision):
            with pytest.raises(UsageError):
                pull_repo("org/thing", hub=lying.url, revision=revision, offline=True)
            assert len(lying.asked) == asked
        assert all(
            ".." not in path.parts and is_revision(path.relative_to(refs).as_posix()) for path in refs.rglob("*")
        )

    check()


@pytest.mark.parametrize("way", ["address", "argument", "load", "lock", "registry", "--registry", "tag", "data"])
def test_116_every_way_a_revision_comes_in(way: str, outside: Path, lying: LyingHub, tmp_path: Path) -> None:
    bad, before = str(outside / "notes.txt"), tree(outside)
    with pytest.raises(UsageError):
        if way == "address":
            zoo.pull(f"hf://org/thing@{bad}", hub=lying.url)
        elif way == "argument":
            zoo.pull("org/thing", revision=bad, hub=lying.url)
        elif way == "load":
            zoo.load("hf://org/thing", revision="../../../x", hub=lying.url)
        elif way == "lock":
            zoo.pull("hf://org/thing@../../../x", hub=lying.url, lock=True, offline=True)
        elif way == "registry":
            zoo.pull("net.a", hub=lying.url, registry=f"hf://org/thing@{bad}")
        elif way == "--registry":
            from zoo.registries import add_weights

            add_weights("org/thing", "net.a", revision=bad, hub=lying.url, path=tmp_path / "registry.json")
        elif way == "tag":
            from zoo.hub.push import push_folder

            (tmp_path / "source").mkdir()
            (tmp_path / "source" / "config.json").write_text("{}")
            push_folder(tmp_path / "source", "org/new", hub=tmp_path / "own", message="first", tag="../x")
        else:
            from zoo.data.hub_files import parse

            parse(f"hf://datasets/org/thing@{bad}")
    assert tree(outside) == before
    assert not lying.asked


def test_116_at_the_shell(outside: Path, lying: LyingHub, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(outside)
    for revision in (outside / "notes.txt", "../../../x", "-x", "a@{0}", "a.lock", "a\x1b[2Jb"):
        assert run(["pull", f"hf://org/thing@{revision}", "--hub", lying.url]) == 2
        assert "\x1b" not in capsys.readouterr().err
    assert tree(outside) == before
    assert not lying.asked


def test_116_a_registry_s_revision_is_its_fault(outside: Path, lying: LyingHub, tmp_path: Path) -> None:
    before = tree(outside)
    for revision in (str(outside / "notes.txt"), "../../../x", COMMIT + "\n"):
        with pytest.raises(IntegrityError, match="no revision"):
            zoo.pull("net.a", hub=lying.url, registry=registry(tmp_path, revision), allow_mutable=True)
    assert tree(outside) == before
    assert not lying.asked


@pytest.mark.parametrize("commit", ["../../../x", "a" * 39, "A" * 40, "c" * 40 + "\n"])
def test_a_hub_s_commit_is_one(outside: Path, lying: LyingHub, commit: str) -> None:
    from zoo.data.hub_files import find_files
    from zoo.hub.connection import Connection

    lying.commit = commit
    with pytest.raises(IntegrityError, match="names no commit"):
        pull_repo("org/thing", hub=lying.url)
    lying.files = {"train-0.parquet": b"x"}
    with pytest.raises(IntegrityError, match="names no commit"):
        find_files("org/thing", "", None, Connection(lying.url))


def test_a_hub_s_hashes_and_sizes(lying: LyingHub, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (
        {"oid": "../../../../x"},
        {"oid": "a" * 64},
        {"size": -1},
        {"size": 2**63},
        {"lfs": {"oid": "..", "size": 1}},
    ):
        item: dict[str, Any] = {"type": "file", "path": "config.json", "oid": "a" * 40, "size": 2, **wrong}
        monkeypatch.setattr(lying, "listing", lambda item=item: [item])
        with pytest.raises(IntegrityError):
            pull_repo("org/thing", hub=lying.url)


def test_116_a_mirror_takes_no_such_tags(lying: LyingHub, served_hub: Any) -> None:
    lying.tags = ["v1", "../../x"]
    with pytest.raises(IntegrityError, match="no revision"):
        mirror(lying.url, served_hub.url, ["org/thing"], target_token=served_hub.token)
