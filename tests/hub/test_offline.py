"""What is in the cache is found without a Hub, whoever put it there, and what is wrong with it is said."""

import os
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants, snapshot_download

import zoo.hub.cache
from zoo.errors import IntegrityError, NotFoundError
from zoo.hub.listing import FileSelection
from zoo.hub.pull import pull_repo
from zoo.hub.push import push_folder

CONTENT = {"config.json": b"{}", "model.safetensors": os.urandom(3000), "README.md": b"# Thing\n"}


@pytest.fixture
def commit(tmp_path: Path, served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "source").mkdir()
    for name, content in CONTENT.items():
        (tmp_path / "source" / name).write_bytes(content)
    return push_folder(tmp_path / "source", "org/thing", hub=served_hub.url, message="first", tag="v1").commit


def by_others(hub: Any, cache: Path, **asked: Any) -> None:
    snapshot_download("org/thing", endpoint=hub.url, token=hub.token, cache_dir=str(cache), **asked)


def blob_of(folder: Path, name: str = "model.safetensors") -> Path:
    return (folder / name).resolve()


def contents(pulled: Any) -> dict[str, bytes]:
    return {file.name: (pulled.folder / file.name).read_bytes() for file in pulled.files}


@pytest.mark.parametrize("revision", [None, "v1", "commit"])
def test_what_hf_download_put_there(revision: str | None, commit: str, served_hub: Any, tmp_path: Path) -> None:
    revision = commit if revision == "commit" else revision
    by_others(served_hub, tmp_path / "cache", revision=revision)
    pulled = pull_repo("org/thing", revision=revision, offline=True)
    assert (pulled.commit, contents(pulled)) == (commit, CONTENT)


def test_what_hf_download_put_there_by_name(commit: str, served_hub: Any, tmp_path: Path) -> None:
    by_others(served_hub, tmp_path / "cache", allow_patterns=["config.json"])
    only = FileSelection(only=("config.json",))
    assert list(contents(pull_repo("org/thing", selection=only, offline=True))) == ["config.json"]
    more = FileSelection(only=("config.json", "model.safetensors"))
    with pytest.raises(NotFoundError, match="in the cache without model.safetensors; pull it without --offline"):
        pull_repo("org/thing", selection=more, offline=True)


def test_another_revision_than_what_is_there(commit: str, served_hub: Any) -> None:
    pull_repo("org/thing", revision=commit, hub=served_hub.url)
    assert pull_repo("org/thing", revision=commit, offline=True).commit == commit
    with pytest.raises(NotFoundError, match=f"what is there of org/thing is {commit}: give hf://org/thing@{commit}"):
        pull_repo("org/thing", offline=True)


@pytest.mark.parametrize("others", [True, False])
@pytest.mark.parametrize("spoil", ["cut", "changed", "gone"])
def test_bytes_that_are_wrong_are_told(spoil: str, others: bool, commit: str, served_hub: Any, tmp_path: Path) -> None:
    by_others(served_hub, tmp_path / "cache") if others else pull_repo("org/thing", hub=served_hub.url)
    blob = blob_of(tmp_path / "cache" / "models--org--thing" / "snapshots" / commit)
    if spoil == "gone":
        blob.unlink()
    else:
        content = blob.read_bytes()
        blob.write_bytes(content[:100] if spoil == "cut" else bytes([content[0] ^ 1]) + content[1:])
    with pytest.raises((NotFoundError, IntegrityError)) as caught:
        pull_repo("org/thing", offline=True)
    said = str(caught.value)
    assert "model.safetensors" in said and "not in the cache" not in said and "without --offline" in said
    assert {"cut": "100 bytes", "changed": "bytes", "gone": "gone"}[spoil] in said
    pulled = pull_repo("org/thing", hub=served_hub.url, revision=commit)
    assert contents(pulled) == CONTENT, "online it is put right"
    assert contents(pull_repo("org/thing", offline=True)) == CONTENT


@pytest.mark.parametrize("revision", [None, "commit"])
def test_a_blob_changed_at_equal_size_is_found_online(revision: str | None, commit: str, served_hub: Any) -> None:
    revision = commit if revision else None
    blob = blob_of(pull_repo("org/thing", hub=served_hub.url).folder)
    before = blob.stat()
    blob.write_bytes(bytes(before.st_size))
    os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns))  # what hides it from whoever compares dates
    assert contents(pull_repo("org/thing", hub=served_hub.url, revision=revision)) == CONTENT


def test_files_that_are_as_they_were_are_not_hashed_again(
    commit: str, served_hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull_repo("org/thing", hub=served_hub.url)
    hashed: list[str] = []
    real = zoo.hub.cache.digests_of
    monkeypatch.setattr(
        zoo.hub.cache, "digests_of", lambda path, wanted: hashed.append(wanted.name) or real(path, wanted)
    )
    folder = pull_repo("org/thing", offline=True).folder
    assert hashed == []
    os.utime(blob_of(folder))
    pull_repo("org/thing", offline=True)
    pull_repo("org/thing", offline=True)
    assert hashed == ["model.safetensors"], "once, and then it is known again"


@pytest.mark.parametrize("others", [True, False])
@pytest.mark.parametrize("revision", [None, "v1", "commit"])
def test_a_complete_cache_that_may_only_be_read(
    revision: str | None, others: bool, commit: str, served_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = commit if revision == "commit" else revision
    by_others(served_hub, tmp_path / "cache") if others else pull_repo("org/thing", hub=served_hub.url)

    def refused(path: Path, content: bytes) -> None:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(zoo.hub.cache, "write_file", refused)  # root, as which tests may run, can write anywhere
    assert contents(pull_repo("org/thing", hub=served_hub.url, revision=revision)) == CONTENT
