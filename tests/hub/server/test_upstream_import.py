"""Whole repos of another Hub, with their history, by the command."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, constants

from tests.hub.server.between import Between, between
from zoo.cli import run
from zoo.hub.importing import wanted_repo
from zoo.hub.server.fsck import check_store
from zoo.hub.server.serving import serve_folder
from zoo.hub.server.store import Store

WEIGHTS = os.urandom(200_000)


@pytest.fixture
def there(served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    api = HfApi(endpoint=served_hub.url, token=served_hub.token)
    api.create_repo("org/thing")
    put(api, "first", {"model.safetensors": WEIGHTS, "a.txt": b"one"})
    api.create_tag("org/thing", tag="v1")
    put(api, "second", {"a.txt": b"two"})
    api.create_branch("org/thing", branch="dev/x")
    api.create_repo("org/data", repo_type="dataset", private=True)
    api.upload_file(path_or_fileobj=b"a,b\n", path_in_repo="a.csv", repo_id="org/data", repo_type="dataset")
    return api


@pytest.fixture
def line(served_hub: Any) -> Iterator[Between]:
    with between(served_hub.url) as line:
        yield line


def put(api: HfApi, title: str, files: dict[str, bytes]) -> None:
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit("org/thing", operations, commit_message=title)


def test_repos_come_with_history_branches_and_tags_under_the_same_ids(
    there: HfApi, line: Between, served_hub: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, token = str(tmp_path / "copy"), str(served_hub.folder / "token")
    command = [
        "hub",
        "import",
        target,
        "hf://org/thing",
        "datasets/org/data",
        "--from",
        line.url,
        "--from-token",
        token,
    ]
    assert run(command) == 0
    said = capsys.readouterr().out
    assert "model org/thing: 3 revisions, 3 commits, 3 files" in said and "dataset org/data: 1 revision" in said
    asked = line.count("/resolve/")
    assert asked == 4
    assert run(command) == 0
    assert line.count("/resolve/") == asked
    with closing(Store(tmp_path / "copy")) as store:
        assert check_store(store).clean
        (row,) = store.database.rows("SELECT COUNT(*) FROM audit WHERE action='repo.import' AND subject='org/thing'")
        assert row == (2,)
    with serve_folder(tmp_path / "copy") as hub:  # without upstream
        api = HfApi(endpoint=hub.url, token=hub.token)
        for revision in ("main", "v1", "dev/x"):
            assert (
                api.model_info("org/thing", revision=revision).sha
                == there.model_info("org/thing", revision=revision).sha
            )
            folder = Path(api.snapshot_download("org/thing", revision=revision, cache_dir=tmp_path / revision))
            assert (folder / "model.safetensors").read_bytes() == WEIGHTS
            assert (folder / "a.txt").read_bytes() == (b"one" if revision == "v1" else b"two")
        assert [ref.name for ref in api.list_repo_refs("org/thing").tags] == ["v1"]
        assert [(item.commit_id, item.title) for item in api.list_repo_commits("org/thing")] == [
            (item.commit_id, item.title) for item in there.list_repo_commits("org/thing")
        ]
        assert api.dataset_info("org/data").private


def test_one_revision_from_a_folder(there: HfApi, served_hub: Any, tmp_path: Path) -> None:
    source = tmp_path / "source"
    with serve_folder(source) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        api.create_repo("org/thing")
        put(api, "first", {"a.txt": b"one"})
        api.create_tag("org/thing", tag="v1")
        put(api, "second", {"a.txt": b"two"})
    target = str(tmp_path / "copy")
    assert run(["hub", "import", target, "org/thing@v1", "--from", str(source), "--history", "1"]) == 0
    with closing(Store(tmp_path / "copy")) as store:
        repo = store.repos.find("models", "org/thing")
        assert repo is not None and repo.upstream == str(source)
        assert set(store.repos.refs(repo)) == {"refs/heads/main", "refs/tags/v1"}


def test_a_repo_of_ones_own_is_not_touched(
    there: HfApi, served_hub: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve_folder(tmp_path / "copy") as hub:
        HfApi(endpoint=hub.url, token=hub.token).create_repo("org/thing")
    assert run(["hub", "import", str(tmp_path / "copy"), "org/thing", "--from", served_hub.url]) == 2
    assert "has a repo of its own called org/thing" in capsys.readouterr().err


def test_what_is_not_there(there: HfApi, served_hub: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, code, said in (
        ("org/nothing", 3, "no repo org/nothing"),
        ("org/thing@v9", 3, "has no revision 'v9'"),
        ("thing", 2, "has no namespace"),
        ("org/thing@a b", 2, "is no revision"),
    ):
        assert run(["hub", "import", str(tmp_path / "copy"), name, "--from", served_hub.url]) == code
        assert said in capsys.readouterr().err


def test_names() -> None:
    assert wanted_repo("hf://datasets/org/data@v1").type == "datasets"
    assert wanted_repo("org/thing").revision is None
