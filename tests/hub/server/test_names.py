"""Names that a Hub takes for files, with the client and without."""

import json
from collections.abc import Callable

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from zoo.hub.server.http import HttpError
from zoo.hub.server.names import check_new_repo, check_path, check_ref

Ask = Callable[..., tuple[int, dict[str, str], bytes]]
REFUSED = [
    ".GIT/config", "a/.Git/hooks/x", ".g\u200cit/config", ".git./config", ".git /x", "git~1/config", ".gitmodules",
    ".git::$INDEX_ALLOCATION/x", "\uff0egit/HEAD", ".GIT/.gitattributes", "NUL.txt", "com1", "a.", "a ", "a\nb",
    "a\x1b]0;x\x07", "a\x9b", "\u202ea", "a:b", "x" * 256,
]  # fmt: skip


@pytest.mark.parametrize("key", ["file", "lfsFile"])
@pytest.mark.parametrize("path", REFUSED, ids=ascii)
def test_115_118_names_that_mean_something_else_elsewhere(api: HfApi, ask: Ask, path: str, key: str) -> None:
    value = {"path": path, "content": "", "encoding": "base64", "algo": "sha256", "oid": "a" * 64, "size": 1}
    body = json.dumps({"key": key, "value": value}).encode()
    status, _, answer = ask("POST", "/api/models/org/thing/commit/main", body, Authorization=f"Bearer {api.token}")
    assert status == 422
    assert b"Invalid path in repo" in answer
    assert not any(byte < 32 or byte == 0x7F for byte in answer)


def test_118_a_lone_surrogate(api: HfApi, ask: Ask) -> None:
    body = b'{"key": "file", "value": {"path": "\\ud800", "content": "", "encoding": "base64"}}'
    assert ask("POST", "/api/models/org/thing/commit/main", body, Authorization=f"Bearer {api.token}")[0] == 400


def test_what_clients_send_of_their_own_is_kept(api: HfApi) -> None:
    names = [".gitattributes", ".gitignore", "sub/.gitattributes", ".vscode/settings.json", "conftest.py", "日本語.md"]
    operations = [CommitOperationAdd(name, b"x") for name in names]
    api.create_commit("org/thing", operations, commit_message="put")
    assert set(names) <= set(api.list_repo_files("org/thing"))
    api.create_commit("org/thing", [CommitOperationDelete(".gitignore")], commit_message="remove")


def test_names_of_an_earlier_hub_can_be_read_and_removed(api: HfApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("zoo.hub.server.commit_body.check_new_path", check_path)
        api.create_commit("org/thing", [CommitOperationAdd("aux.md", b"old")], commit_message="put")
    assert ask("GET", "/org/thing/resolve/main/aux.md")[2] == b"old"
    api.create_commit("org/thing", [CommitOperationDelete("aux.md")], commit_message="remove")
    assert "aux.md" not in api.list_repo_files("org/thing")


@pytest.mark.parametrize("name", ["a.lock/b", "a/.b", "a@{0}", "-a", "a\u202eb", "a..b", "a/", "refs/heads/x"])
def test_116_refs_that_git_would_not_take(name: str) -> None:
    with pytest.raises(HttpError):
        check_ref(name)


@pytest.mark.parametrize("namespace", ["api", "cas", "datasets", "models", "Spaces"])
def test_new_repos_do_not_take_the_hubs_own_addresses(namespace: str) -> None:
    with pytest.raises(HttpError, match="part of this Hub's own addresses"):
        check_new_repo(f"{namespace}/thing")
    check_new_repo("org/thing")
