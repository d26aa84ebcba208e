"""A branch's history squashed by the real client, and files as git keeps them."""

from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from tests.hub.server.uploads import Ask
from zoo.hub.server.fsck import check_store
from zoo.hub.server.store import Store


def add(api: HfApi, content: bytes, **options: str) -> str:
    commit = api.create_commit("org/thing", [CommitOperationAdd("a.txt", content)], commit_message="add", **options)
    return str(commit.oid)


def test_one_commit_takes_the_place_of_a_history(api: HfApi, tmp_path: Path) -> None:
    first, second = add(api, b"one"), add(api, b"two")
    api.super_squash_history("org/thing", commit_message="all of it\nat once")
    (commit,) = api.list_repo_commits("org/thing")
    assert (commit.title, commit.message) == ("all of it", "at once")
    assert api.model_info("org/thing").sha == commit.commit_id
    assert Path(api.hf_hub_download("org/thing", "a.txt", cache_dir=tmp_path)).read_bytes() == b"two"
    for gone in (first, second):
        with pytest.raises(RevisionNotFoundError):
            api.model_info("org/thing", revision=gone)
    third = add(api, b"three")
    assert [item.commit_id for item in api.list_repo_commits("org/thing")] == [third, commit.commit_id]


def test_what_a_tag_or_another_branch_names_stays(api: HfApi, served_hub: object) -> None:
    first = add(api, b"one")
    api.create_tag("org/thing", tag="v1")
    api.create_branch("org/thing", branch="dev")
    second = add(api, b"two", revision="dev")
    api.super_squash_history("org/thing", branch="dev")
    assert [item.title for item in api.list_repo_commits("org/thing", revision="dev")] == [
        "Super-squash branch 'dev' using huggingface_hub"
    ]
    assert api.model_info("org/thing").sha == api.model_info("org/thing", revision="v1").sha == first
    with pytest.raises(RevisionNotFoundError):
        api.model_info("org/thing", revision=second)
    store = Store(served_hub.folder)  # type: ignore[attr-defined]
    assert check_store(store).clean
    store.close()


def test_what_cannot_be_squashed(api: HfApi) -> None:
    add(api, b"one")
    api.create_tag("org/thing", tag="v1")
    with pytest.raises(BadRequestError, match="v1 is a tag"):
        api.super_squash_history("org/thing", branch="v1")
    with pytest.raises(RevisionNotFoundError):
        api.super_squash_history("org/thing", branch="none")
    with pytest.raises(HfHubHTTPError, match="401"):
        HfApi(endpoint=api.endpoint, token=False).super_squash_history("org/thing")
    with pytest.raises(RepositoryNotFoundError):
        api.super_squash_history("org/nothing")


def test_raw_files_are_what_git_keeps(api: HfApi, ask: Ask) -> None:
    add(api, b"hello")
    api.upload_file(repo_id="org/thing", path_in_repo="m.safetensors", path_or_fileobj=b"x" * 50)
    assert ask("GET", "/org/thing/raw/main/a.txt")[::2] == (200, b"hello")
    status, _, body = ask("GET", "/org/thing/raw/main/m.safetensors")
    assert status == 200
    assert body.startswith(b"version https://git-lfs.github.com/spec/v1\noid sha256:") and body.endswith(b"size 50\n")
    assert ask("GET", "/org/thing/raw/main/none")[0] == 404
    api.update_repo_settings("org/thing", gated="manual")
    assert ask("GET", "/org/thing/raw/main/m.safetensors")[0] == 401
