"""Copy repos between two real Hubs on loopback."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants

from zoo.cli import run
from zoo.errors import IntegrityError, UsageError
from zoo.hub.mirror import _opened, mirror
from zoo.hub.server.serving import serve_folder


@pytest.fixture
def source(served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    api = HfApi(endpoint=served_hub.url, token=served_hub.token)
    api.create_repo("org/thing", private=True)
    put(api, {"a.txt": b"one", "model.safetensors": os.urandom(5000), "gone.txt": b"gone"})
    api.create_tag("org/thing", tag="v1")
    api.create_commit("org/thing", [CommitOperationDelete("gone.txt")], commit_message="remove")
    put(api, {"a.txt": b"two"})
    api.create_tag("org/thing", tag="v2")
    put(api, {"sub/b.txt": b"three"})
    api.create_repo("org/data", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"a,b\n", path_in_repo="a.csv", repo_id="org/data", repo_type="dataset")
    return api


@pytest.fixture
def target(tmp_path: Path) -> Iterator[tuple[Any, HfApi]]:
    with serve_folder(tmp_path / "target") as hub:
        yield hub, HfApi(endpoint=hub.url, token=hub.token)


def put(api: HfApi, files: dict[str, bytes]) -> None:
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit("org/thing", operations, commit_message="put")


def listing(api: HfApi, revision: str) -> dict[str, str]:
    return {
        item.path: item.blob_id
        for item in api.list_repo_tree("org/thing", recursive=True, revision=revision)
        if hasattr(item, "blob_id")
    }


def copy(source: HfApi, target: tuple[Any, HfApi], *repos: str) -> Any:
    hub, api = target
    tokens = {"source_token": source.token, "target_token": hub.token}
    return mirror(str(source.endpoint), hub.url, repos, **tokens)  # type: ignore[arg-type]


def test_every_tag_and_main(source: HfApi, target: tuple[Any, HfApi]) -> None:
    results = {item.repo: item for item in copy(source, target)}
    api = target[1]
    for revision in ("v1", "v2", "main"):
        assert listing(api, revision) == listing(source, revision)
    assert results["org/thing"].commits == 3
    assert api.model_info("org/thing").private
    assert api.list_repo_files("org/data", repo_type="dataset") == ["a.csv"]
    again = copy(source, target)
    assert [item.files for item in again] == [0, 0]


def test_it_goes_on_where_it_was_interrupted(
    source: HfApi, target: tuple[Any, HfApi], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_tag = HfApi.create_tag

    def interrupted(api: HfApi, repo: str, *, tag: str, **options: Any) -> None:
        if tag == "v2":
            raise KeyboardInterrupt
        create_tag(api, repo, tag=tag, **options)

    with monkeypatch.context() as patch:
        patch.setattr(HfApi, "create_tag", interrupted)
        with pytest.raises(KeyboardInterrupt):
            copy(source, target, "org/thing")
    (result,) = copy(source, target, "org/thing")
    assert (result.tags, result.commits) == (2, 1)  # v2's files had come already; main's had not
    for revision in ("v1", "v2", "main"):
        assert listing(target[1], revision) == listing(source, revision)


def test_a_tag_that_is_another_there(source: HfApi, target: tuple[Any, HfApi]) -> None:
    api = target[1]
    api.create_repo("org/thing")
    put(api, {"a.txt": b"another"})
    api.create_tag("org/thing", tag="v1")
    with pytest.raises(IntegrityError, match=r"the tag v1 of org/thing .* differs"):
        copy(source, target, "org/thing")


def test_a_flipped_byte_is_not_copied(source: HfApi, target: tuple[Any, HfApi], served_hub: Any) -> None:
    (blob,) = [
        path for path in (served_hub.folder / "blobs").rglob("*") if path.is_file() and path.stat().st_size == 5000
    ]
    blob.chmod(0o644)
    blob.write_bytes(b"x" * 5000)
    with pytest.raises(IntegrityError, match="model.safetensors of org/thing differs from what"):
        copy(source, target, "org/thing")
    assert target[1].list_repo_files("org/thing") == []


def test_folders_at_the_shell(
    source: HfApi, served_hub: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = str(tmp_path / "copy")
    token = str(served_hub.folder / "token")
    assert run(["hub", "mirror", served_hub.url, other, "--from-token", token]) == 0
    assert "model org/thing: 2 tags" in capsys.readouterr().out
    with serve_folder(Path(other)) as hub:
        assert listing(HfApi(endpoint=hub.url, token=hub.token), "v2") == listing(source, "v2")


def test_the_same_hub_and_the_whole_public_one(served_hub: Any) -> None:
    with pytest.raises(UsageError, match="same Hub"):
        mirror(served_hub.url, served_hub.url)
    with pytest.raises(UsageError, match="name the repos"):
        mirror("https://huggingface.co", served_hub.url)


def test_a_token_goes_to_no_other_hub(served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with _opened(served_hub.url, None) as there, _opened("https://huggingface.co", None) as public:
        assert (there.token, public.token) == (False, "hf_secret")
    monkeypatch.setenv("HF_ENDPOINT", served_hub.url + "/")
    with _opened(served_hub.url, None) as there, _opened("https://huggingface.co", None) as public:
        assert (there.token, public.token) == ("hf_secret", False)
