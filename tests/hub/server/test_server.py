"""The embedded Hub, asked by the real client and by hostile ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from zoo.errors import StorageError
from zoo.hub.server.serving import serve_folder

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


def add(api: HfApi, path: str = "a.txt", content: bytes = b"hello", **options: Any) -> str:
    return str(api.create_commit("org/thing", [CommitOperationAdd(path, content)], commit_message="add", **options).oid)


def test_metadata(api: HfApi) -> None:
    add(api, "README.md", b"---\npipeline_tag: image-classification\ntags: [one]\n---\n")
    commit = add(api, "sub/model.safetensors", b"x" * 50)
    info = api.model_info("org/thing", files_metadata=True)
    assert info.sha == commit
    assert info.pipeline_tag == "image-classification"
    assert {item.rfilename: item.size for item in info.siblings or []} == {"README.md": 55, "sub/model.safetensors": 50}
    assert [item.path for item in api.list_repo_tree("org/thing")] == ["README.md", "sub"]
    assert [item.path for item in api.get_paths_info("org/thing", ["README.md", "none"])] == ["README.md"]
    assert [item.id for item in api.list_models(filter="one")] == ["org/thing"]
    assert [item.id for item in api.list_models(search="nothing")] == []
    assert [item.title for item in api.list_repo_commits("org/thing")] == ["add", "add", "initial commit"]


def test_tags_and_branches(api: HfApi) -> None:
    commit = add(api)
    api.create_tag("org/thing", tag="v1")
    api.create_branch("org/thing", branch="dev/x")
    add(api, "b.txt", revision="dev/x")
    refs = api.list_repo_refs("org/thing")
    assert [(ref.name, ref.target_commit) for ref in refs.tags] == [("v1", commit)]
    assert [ref.name for ref in refs.branches] == ["dev/x", "main"]
    api.delete_tag("org/thing", tag="v1")
    with pytest.raises(RevisionNotFoundError):
        api.model_info("org/thing", revision="v1")


def test_delete(api: HfApi) -> None:
    add(api)
    api.create_commit("org/thing", [CommitOperationDelete("a.txt")], commit_message="remove")
    assert api.list_repo_files("org/thing") == []
    api.delete_repo("org/thing")
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("org/thing")


def test_106_stale_parent(api: HfApi) -> None:
    first = add(api)
    add(api, "b.txt")
    with pytest.raises(HfHubHTTPError) as caught:
        add(api, "c.txt", parent_commit=first)
    assert caught.value.response.status_code == 412


def test_105_wrong_bytes_are_not_kept(api: HfApi, served_hub: Any, ask: Ask) -> None:
    oid = "0" * 64
    body = json.dumps({"operation": "upload", "objects": [{"oid": oid, "size": 4}]}).encode()
    bearer = f"Bearer {api.token}"
    _, _, answer = ask("POST", "/org/thing.git/info/lfs/objects/batch", body, Authorization=bearer)
    href = urlsplit(json.loads(answer)["objects"][0]["actions"]["upload"]["href"]).path
    assert ask("PUT", href, b"four")[0] == 422
    assert ask("PUT", href, b"more than four")[0] == 413
    assert ask("PUT", href[:-1] + ("0" if href[-1] != "0" else "1"), b"four")[0] == 403
    assert not [path for path in (served_hub.folder / "blobs").rglob("*") if path.is_file()]
    assert not list((served_hub.folder / "temporary").iterdir())


def test_knowing_a_hash_is_no_right_to_the_bytes(api: HfApi, ask: Ask) -> None:
    add(api, "secret.safetensors", b"secret")
    api.create_repo("other/thief")
    oid = next(iter(api.get_paths_info("org/thing", ["secret.safetensors"]))).lfs.sha256
    value = {"path": "mine.bin", "algo": "sha256", "oid": oid, "size": 6}
    body = json.dumps({"key": "lfsFile", "value": value}).encode()
    bearer = f"Bearer {api.token}"
    assert ask("POST", "/api/models/other/thief/commit/main", body, Authorization=bearer)[0] == 422


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../b", "a\\b", ".git/config", "C:/x", "a//b", "a\x00"])
def test_102_hostile_paths(api: HfApi, path: str, ask: Ask) -> None:
    body = json.dumps({"key": "file", "value": {"path": path, "content": "", "encoding": "base64"}}).encode()
    bearer = f"Bearer {api.token}"
    assert ask("POST", "/api/models/org/thing/commit/main", body, Authorization=bearer)[0] == 422


@pytest.mark.parametrize("path", ["%2e%2e/%2e%2e/etc/passwd", "..%2fx", "a%00", "%5c", "%ff"])
def test_102_hostile_addresses(api: HfApi, path: str, ask: Ask) -> None:
    assert ask("GET", f"/org/thing/resolve/main/{path}")[0] == 400


@pytest.mark.parametrize("name", ["..", "a--b", "x.git", "n" * 97, "-a", ""])
def test_101_bad_repo_ids(served_hub: Any, name: str, ask: Ask) -> None:
    body = json.dumps({"name": name, "organization": "org"}).encode()
    bearer = f"Bearer {served_hub.token}"
    if name:
        assert ask("POST", "/api/repos/create", body, Authorization=bearer)[0] == 400
    assert ask("GET", f"/api/models/org/{name}")[0] in (400, 404)


def test_107_writes_need_the_token(api: HfApi, served_hub: Any, ask: Ask) -> None:
    for authorization in ("", "Bearer wrong", "Basic x"):
        headers = {"Authorization": authorization} if authorization else {}
        assert ask("POST", "/api/repos/create", b"{}", **headers)[0] == 401
        assert ask("POST", "/api/models/org/thing/commit/main", b"", **headers)[0] == 401
    assert (served_hub.folder / "token").stat().st_mode & 0o777 == 0o600


def test_109_other_names_for_this_machine(ask: Ask) -> None:
    assert ask("GET", "/api/models", Host="evil.example")[0] == 403
    assert ask("GET", "/api/models", Origin="http://evil.example")[0] == 403


def test_110_ranges(api: HfApi, ask: Ask) -> None:
    add(api, "a.txt", b"0123456789")
    path = "/org/thing/resolve/main/a.txt"
    for header, status, body in (("bytes=2-4", 206, b"234"), ("bytes=8-", 206, b"89"), ("bytes=-3", 206, b"789")):
        assert ask("GET", path, Range=header)[::2] == (status, body)
    status, headers, _ = ask("GET", path, Range="bytes=10-")
    assert (status, headers["content-range"]) == (416, "bytes */10")


def test_unknown_routes_answer_at_once(api: HfApi, ask: Ask) -> None:
    bearer = f"Bearer {api.token}"
    for path in ("/v2/shards", "/v1/xorb-grants/default/00", "/cas/x/v1/xorb-grants/default/00", "/cas/x/v9/shards"):
        assert ask("GET", path, Authorization=bearer)[0] == 404


def test_a_restart_keeps_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with serve_folder(tmp_path / "hub") as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        api.create_repo("org/thing")
        commit = add(api)
    with serve_folder(tmp_path / "hub") as hub:
        assert HfApi(endpoint=hub.url, token=hub.token).model_info("org/thing").sha == commit


def test_113_two_servers_on_one_store(served_hub: Any) -> None:
    with pytest.raises(StorageError, match="another server"), serve_folder(served_hub.folder):
        pass


@pytest.mark.parametrize(
    "name", ["0" * 40, "refs/heads/x", "a..b", "a//b", "a.lock", "-a", "a b", "a~1", "a^", "a:b", "a\\b", "", "x" * 201]
)
def test_bad_names_of_refs(api: HfApi, ask: Ask, name: str) -> None:
    body = json.dumps({"tag": name}).encode()
    bearer = f"Bearer {api.token}"
    assert ask("POST", "/api/models/org/thing/tag/main", body, Authorization=bearer)[0] == 400
