"""A repo that was moved: its former name leads to it, as the real client follows, and to nobody who may not see it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import RepositoryNotFoundError

from tests.hub.server.uploads import Ask
from zoo.errors import IntegrityError
from zoo.hub.pull import pull_repo
from zoo.hub.server.serving import serve_folder


@pytest.fixture
def moved(api: HfApi) -> HfApi:
    """Return the owner's client of a Hub where org/thing became org/other."""
    files = [CommitOperationAdd("a.txt", b"hello"), CommitOperationAdd("m.safetensors", b"x" * 50)]
    api.create_commit("org/thing", files, commit_message="add")
    api.move_repo("org/thing", "org/other")
    return api


def test_a_former_name_leads_to_the_repo(moved: HfApi, tmp_path: Path) -> None:
    assert moved.model_info("org/thing").id == "org/other"
    assert Path(moved.hf_hub_download("org/thing", "a.txt", cache_dir=tmp_path)).read_bytes() == b"hello"
    whole = Path(moved.snapshot_download("org/thing", cache_dir=tmp_path / "whole"))
    assert sorted(path.name for path in whole.iterdir()) == ["a.txt", "m.safetensors"]
    assert [item.path for item in moved.list_repo_tree("org/thing", recursive=True)] == ["a.txt", "m.safetensors"]


def test_what_is_written_to_a_former_name_comes_to_the_repo(moved: HfApi) -> None:
    moved.upload_file(repo_id="org/thing", path_in_repo="n.safetensors", path_or_fileobj=b"y" * 60)  # by LFS
    moved.create_tag("org/thing", tag="v1")
    assert "n.safetensors" in moved.list_repo_files("org/other", revision="v1")


def test_zoo_tells_the_new_name(moved: HfApi) -> None:
    with pytest.raises(IntegrityError, match="org/thing is 'org/other' on .* now; check who owns that"):
        pull_repo("org/thing", hub=moved.endpoint)


def test_a_page_of_a_former_name_leads_on_with_its_query(moved: HfApi, ask: Ask) -> None:
    status, headers, _ = ask("GET", "/org/thing/tree/main?x=1%202", Accept="text/html")
    assert (status, headers["location"]) == (307, f"{moved.endpoint}/org/other/tree/main?x=1%202")


def test_a_chain_of_moves_and_a_name_in_another_case(moved: HfApi) -> None:
    moved.move_repo("org/other", "org/third")
    for name in ("org/thing", "Org/Thing", "org/other"):
        assert moved.model_info(name).id == "org/third"
    moved.move_repo("org/third", "org/thing")
    assert {moved.model_info(name).id for name in ("org/thing", "org/other", "org/third")} == {"org/thing"}


def test_a_new_repo_takes_a_former_name(moved: HfApi) -> None:
    moved.create_repo("org/thing")
    assert moved.model_info("org/thing").id == "org/thing"
    moved.delete_repo("org/thing")
    with pytest.raises(RepositoryNotFoundError):
        moved.model_info("org/thing")
    assert moved.model_info("org/other").id == "org/other"


def test_a_former_name_of_a_deleted_repo_leads_nowhere(moved: HfApi) -> None:
    moved.delete_repo("org/other")
    with pytest.raises(RepositoryNotFoundError):
        moved.model_info("org/thing")
    moved.create_repo("org/other")
    with pytest.raises(RepositoryNotFoundError):
        moved.model_info("org/thing")


def test_a_former_name_of_a_private_repo_is_not_there(moved: HfApi, person: Callable[..., HfApi]) -> None:
    moved.update_repo_settings("org/other", private=True)
    for api in (HfApi(endpoint=moved.endpoint, token=False), person("alice")):
        with pytest.raises(RepositoryNotFoundError) as failure:
            api.model_info("org/thing")
        assert "org/other" not in str(failure.value)
    assert person("bob", "org").model_info("org/thing").id == "org/other"


def test_former_names_outlive_the_server(tmp_path: Path) -> None:
    for first in (True, False):
        with serve_folder(tmp_path / "hub") as hub:
            api: Any = HfApi(endpoint=hub.url, token=hub.token)
            if first:
                api.create_repo("org/thing", repo_type="dataset")
                api.move_repo("org/thing", "org/other", repo_type="dataset")
            assert api.dataset_info("org/thing").id == "org/other"
