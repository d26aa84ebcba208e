"""Who may do what, and from where."""

import base64
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

from zoo.cli import run
from zoo.errors import UsageError
from zoo.hub.server.options import Options
from zoo.hub.server.serving import check_exposure, serve_folder
from zoo.hub.server.users import Users

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


def put(api: HfApi, repo: str, content: bytes = b"text", path: str = "a.txt") -> str:
    return str(api.create_commit(repo, [CommitOperationAdd(path, content)], commit_message="put").oid)


def status(caught: Any) -> int:
    return int(caught.value.response.status_code)


def test_everybody_has_a_namespace(api: HfApi, person: Callable[..., HfApi]) -> None:
    alice = person("alice", "team")
    assert alice.whoami()["name"] == "alice"
    assert [org["name"] for org in alice.whoami()["orgs"]] == ["team"]
    for repo in ("alice/mine", "team/ours"):
        alice.create_repo(repo)
        put(alice, repo)
    assert alice.create_repo("short").repo_id == "alice/short"
    with pytest.raises(HfHubHTTPError) as caught:
        alice.create_repo("org/not-mine")
    assert status(caught) == 403
    with pytest.raises(HfHubHTTPError) as caught:
        put(alice, "org/thing")
    assert status(caught) == 403


def test_107_wrong_scope(api: HfApi, person: Callable[..., HfApi]) -> None:
    person("alice").create_repo("alice/mine", private=True)
    reader = person("alice", scope="read")
    assert reader.model_info("alice/mine").private
    for change in (
        lambda: put(reader, "alice/mine"),
        lambda: reader.create_repo("alice/other"),
        lambda: reader.delete_repo("alice/mine"),
        lambda: reader.create_tag("alice/mine", tag="v1"),
        lambda: reader.update_repo_settings("alice/mine", private=False),
        lambda: reader.move_repo("alice/mine", "alice/other"),
    ):
        with pytest.raises(HfHubHTTPError) as caught:
            change()
        assert status(caught) == 403


def test_a_new_token_of_a_label_replaces_the_old(api: HfApi, person: Callable[..., HfApi]) -> None:
    old, new = person("alice"), person("alice")
    with pytest.raises(HfHubHTTPError):
        old.whoami()
    assert new.whoami()["name"] == "alice"


def test_private_repos_answer_others_like_missing_ones(
    api: HfApi, person: Callable[..., HfApi], ask: Ask, served_hub: Any
) -> None:
    alice, bob = person("alice"), person("bob")
    alice.create_repo("alice/secret", private=True)
    put(alice, "alice/secret", b"secret", "a.bin")
    missing, hidden = (ask("GET", f"/api/models/alice/{name}") for name in ("missing", "secret"))
    assert missing[::2] == hidden[::2]
    assert missing[1]["x-error-code"] == hidden[1]["x-error-code"] == "RepoNotFound"
    for route in (
        "/alice/secret/resolve/main/a.bin",
        "/alice/secret",
        "/alice/secret/tree/main",
        "/alice/secret/commits/main",
    ):
        assert ask("GET", route)[0] == 404
    with pytest.raises(RepositoryNotFoundError):
        bob.model_info("alice/secret")
    assert list(bob.list_models(search="secret")) == []
    assert [repo.id for repo in alice.list_models(search="secret")] == ["alice/secret"]
    assert [repo.id for repo in api.list_models(search="secret")] == ["alice/secret"]  # the owner's
    assert b"secret" not in ask("GET", "/")[2]


def test_a_hash_is_no_right_to_the_bytes(api: HfApi, person: Callable[..., HfApi], ask: Ask, served_hub: Any) -> None:
    alice, bob = person("alice"), person("bob")
    alice.create_repo("alice/secret", private=True)
    put(alice, "alice/secret", b"secret", "a.bin")
    oid = next(iter(alice.get_paths_info("alice/secret", ["a.bin"]))).lfs.sha256  # type: ignore[union-attr]
    bob.create_repo("bob/thief")
    bearer = f"Bearer {bob.token}"
    value = {"path": "mine.bin", "algo": "sha256", "oid": oid, "size": 6}
    claim = json.dumps({"key": "lfsFile", "value": value}).encode()
    assert ask("POST", "/api/models/bob/thief/commit/main", claim, Authorization=bearer)[0] == 422
    batch = json.dumps({"operation": "upload", "objects": [{"oid": oid, "size": 6}]}).encode()
    answer = json.loads(ask("POST", "/bob/thief.git/info/lfs/objects/batch", batch, Authorization=bearer)[2])
    assert "upload" in answer["objects"][0]["actions"]  # it does not even say that the object exists
    verify = json.dumps({"oid": oid, "size": 6}).encode()
    assert ask("POST", "/bob/thief.git/info/lfs/verify", verify, Authorization=bearer)[0] == 404
    assert bob.list_repo_files("bob/thief") == []


def test_gates(api: HfApi, person: Callable[..., HfApi], served_hub: Any, tmp_path: Path) -> None:
    alice, bob = person("alice"), person("bob")
    alice.create_repo("alice/model")
    put(alice, "alice/model")
    alice.update_repo_settings("alice/model", gated="manual")
    assert bob.model_info("alice/model").gated == "manual"
    with pytest.raises(GatedRepoError):
        bob.hf_hub_download("alice/model", "a.txt", local_dir=tmp_path)
    with pytest.raises(GatedRepoError):
        bob.auth_check("alice/model")
    alice.grant_access("alice/model", "bob")
    assert Path(bob.hf_hub_download("alice/model", "a.txt", local_dir=tmp_path)).read_text() == "text"
    assert [item.username for item in alice.list_accepted_access_requests("alice/model")] == ["bob"]
    alice.update_repo_settings("alice/model", gated="auto")
    carol = person("carol")
    assert Path(carol.hf_hub_download("alice/model", "a.txt", local_dir=tmp_path / "carol")).read_text() == "text"
    with pytest.raises(GatedRepoError):
        HfApi(endpoint=served_hub.url, token=False).hf_hub_download(
            "alice/model", "a.txt", local_dir=tmp_path / "nobody"
        )


def test_125_a_gate_that_waits_for_the_writer_holds_up_nobody_else(
    api: HfApi, ask: Ask, person: Callable[..., HfApi], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(api, "org/thing")
    api.update_repo_settings("org/thing", gated="auto")
    bearer = f"Bearer {person('carol').token}"
    waiting, end = threading.Event(), threading.Event()
    grant = Users.grant

    def late(*arguments: Any) -> None:
        waiting.set()
        assert end.wait(20)
        grant(*arguments)

    monkeypatch.setattr(Users, "grant", late)
    with ThreadPoolExecutor(2) as clients:
        paths = ("/org/thing/resolve/main/a.txt", "/org/thing/blob/main/a.txt")
        answers = [clients.submit(ask, "GET", path, Authorization=bearer) for path in paths]
        assert waiting.wait(20)
        assert ask("GET", "/healthz")[0] == 200
        end.set()
        assert [answer.result()[0] for answer in answers] == [200, 200]
    assert [item.username for item in api.list_accepted_access_requests("org/thing")] == ["carol"]


def test_tokens_of_huggingface_co_are_refused_unseen(api: HfApi, ask: Ask, served_hub: Any) -> None:
    status_, headers, _ = ask("GET", "/api/models", Authorization="Bearer hf_abcdefghijklmnopqrstuvwxyz")
    assert status_ == 401
    assert "huggingface.co" in headers["x-error-message"]
    assert not [path for path in served_hub.folder.rglob("*") if path.is_file() and b"hf_abcdefgh" in path.read_bytes()]


def test_browsers_log_in_by_a_password_to_read_alone(api: HfApi, ask: Ask, served_hub: Any) -> None:
    api.create_repo("org/secret", private=True)
    basic = "Basic " + base64.b64encode(f"me:{served_hub.token}".encode()).decode()
    assert ask("GET", "/api/models/org/secret")[0] == 404
    assert ask("GET", "/api/models/org/secret", Authorization=basic)[0] == 200
    body = json.dumps({"name": "forged", "organization": "org"}).encode()
    assert ask("POST", "/api/repos/create", body, Authorization=basic)[0] == 401


def test_a_hub_that_is_read_with_a_token(tmp_path: Path, ask: Ask) -> None:
    from urllib.request import urlopen

    with serve_folder(tmp_path / "closed", options=Options(anonymous=False)) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        api.create_repo("org/thing")
        put(api, "org/thing")
        nobody = HfApi(endpoint=hub.url, token=False)
        with pytest.raises(RepositoryNotFoundError):
            nobody.model_info("org/thing")
        with pytest.raises(HfHubHTTPError):
            list(nobody.list_models())
        assert urlopen(f"{hub.url}/healthz").status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_108_others_can_connect_only_with_tls_or_when_told_so(host: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--insecure"):
        check_exposure(Options(host=host), insecure=False)
    check_exposure(Options(host=host), insecure=True)
    check_exposure(Options(host=host, certificate=tmp_path), insecure=False)
    check_exposure(Options(), insecure=False)


def test_108_at_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hub", "serve", str(tmp_path / "hub"), "--host", "0.0.0.0", "--port", "0"]) == 2
    assert "--certificate" in capsys.readouterr().err
    assert not (tmp_path / "hub").exists()


def test_users_at_the_shell(api: HfApi, served_hub: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(served_hub.folder)
    assert run(["hub", "user", "add", folder, "dave", "--namespace", "team"]) == 0
    capsys.readouterr()
    assert run(["hub", "user", "token", folder, "dave", "--scope", "read"]) == 0
    token = capsys.readouterr().out.strip()
    dave = HfApi(endpoint=served_hub.url, token=token)
    assert dave.whoami()["auth"]["accessToken"]["role"] == "read"
    assert run(["hub", "user", "list", folder]) == 0
    shown = capsys.readouterr().out
    assert "dave, team" in shown and token not in shown
    assert run(["hub", "user", "rm", folder, "dave"]) == 0
    with pytest.raises(HfHubHTTPError):
        dave.whoami()
    assert run(["hub", "user", "rm", folder, "dave"]) == 3
    assert run(["hub", "user", "add", folder, "../dave"]) == 2


def test_only_its_owner_reads_the_folder(served_hub: Any) -> None:
    assert served_hub.folder.stat().st_mode & 0o777 == 0o700
    assert (served_hub.folder / "token").stat().st_mode & 0o777 == 0o600
    assert served_hub.token.encode() not in (served_hub.folder / "store.db").read_bytes()


def test_109_no_foreign_names_and_no_cross_origin_headers(api: HfApi, ask: Ask, served_hub: Any) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "evil@127.0.0.1", "", "127.0.0.1:80:80"):
        assert ask("GET", "/api/models", Host=host)[0] in (400, 403)
    status_, headers, _ = ask("GET", "/api/models")
    assert status_ == 200 and not [name for name in headers if name.startswith("access-control")]
    assert ask("GET", "/api/models", Origin="null")[0] == 403
