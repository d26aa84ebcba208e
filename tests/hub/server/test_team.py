"""A Hub that a team keeps: rights to read, tokens that end, and a log of who changed what."""

import csv
import io
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from tests.hub.server.rights import Case, whole_file
from tests.hub.server.uploads import Ask
from zoo.cli import run
from zoo.hub.server.fsck import check_store
from zoo.hub.server.store import Store

Person = Callable[..., HfApi]


def put(api: HfApi, repo: str) -> str:
    return str(api.create_commit(repo, [CommitOperationAdd("a.txt", b"text")], commit_message="put").oid)


def give(hub: Any, name: str, right: str, namespace: str = "org") -> None:
    with closing(Store(hub.folder)) as store:
        user = store.users.find(name)
        assert user is not None
        store.users.give(user, namespace, right)  # type: ignore[arg-type]


def test_a_reader_of_a_namespace_sees_and_pulls_and_changes_nothing(
    api: HfApi, person: Person, served_hub: Any
) -> None:
    for name, settings in (("secret", {"private": True}), ("gated", {"gated": "manual"})):
        api.create_repo(f"org/{name}")
        put(api, f"org/{name}")
        api.update_repo_settings(f"org/{name}", **settings)
    bob = person("bob")
    with pytest.raises(RepositoryNotFoundError):
        bob.model_info("org/secret")
    give(served_hub, "bob", "read", "ORG")
    assert bob.model_info("org/secret").private
    assert {item.id for item in bob.list_models(author="org")} == {"org/thing", "org/secret", "org/gated"}
    assert [org["name"] for org in bob.whoami()["orgs"]] == ["ORG"]
    for name in ("secret", "gated"):
        bob.auth_check(f"org/{name}")
        with pytest.raises(HfHubHTTPError, match="has no rights in the namespace"):
            put(bob, f"org/{name}")
    give(served_hub, "bob", "write")
    put(bob, "org/secret")
    give(served_hub, "bob", "none")
    with pytest.raises(RepositoryNotFoundError):
        bob.model_info("org/secret")


def test_a_token_that_is_over_is_none(served_hub: Any, person: Person) -> None:
    person("alice")
    with closing(Store(served_hub.folder)) as store:
        alice = store.users.find("alice")
        assert alice is not None
        over = store.users.new_token(alice, "over", "write", time.time() - 1)
        good = store.users.new_token(alice, "good", "write", time.time() + 60)
    assert HfApi(endpoint=served_hub.url, token=good).whoami()["name"] == "alice"
    with pytest.raises(HfHubHTTPError) as caught:
        HfApi(endpoint=served_hub.url, token=over).whoami()
    assert caught.value.response.status_code == 401


def test_what_was_given_to_upload_with_ends_with_its_token(case: Case) -> None:
    use = whole_file(case)
    case.sql("UPDATE token_times SET expires=?", time.time() - 1)
    assert use() == 403
    case.sql("UPDATE token_times SET expires=NULL")


def test_when_a_token_was_used_last(
    served_hub: Any, person: Person, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("zoo.hub.server.application._USES_SECONDS", 0)
    alice = person("alice")
    assert run(["hub", "user", "token", str(served_hub.folder), "alice", "--label", "ci", "--expires", "30d"]) == 0
    for _ in range(3):
        alice.whoami()
    deadline = time.monotonic() + 10
    today = time.strftime("%Y-%m-%d", time.gmtime())
    shown = ""
    while f"used {today}" not in shown.partition("alice")[2] and time.monotonic() < deadline:
        capsys.readouterr()
        assert run(["hub", "user", "list", str(served_hub.folder)]) == 0
        shown = capsys.readouterr().out
    line = shown.partition("alice")[2]
    until = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86_400))
    assert f"a write token (write, used {today})" in line and f"ci (write, until {until}, never used)" in line


def test_every_change_is_in_the_audit_log(
    api: HfApi, person: Person, served_hub: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    alice = person("alice", "team")
    alice.create_repo("team/ours", private=True)
    oid = put(alice, "team/ours")
    put(alice, "team/ours")  # which changes nothing
    alice.create_tag("team/ours", tag="v1")
    with pytest.raises(HfHubHTTPError):
        alice.create_tag("team/ours", tag="v1")
    alice.update_repo_settings("team/ours", private=False, gated="manual")
    api.grant_access("team/ours", "alice")
    alice.delete_tag("team/ours", tag="v1")
    alice.move_repo("team/ours", "team/renamed")
    alice.super_squash_history("team/renamed")
    alice.delete_repo("team/renamed")
    folder = str(served_hub.folder)
    assert run(["hub", "audit", folder, "--user", "alice"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["action"] for line in lines] == [
        "repo.create", "commit", "ref.make", "repo.settings", "ref.delete", "repo.move", "squash", "repo.delete",
    ]  # fmt: skip
    assert lines[1]["detail"] == f"main {oid}" and lines[5]["detail"] == "to team/renamed"
    assert {(line["token"], line["client"]) for line in lines} == {("a write token", "127.0.0.1")}
    assert run(["hub", "audit", folder, "--subject", "alice", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["action"] for row in rows] == ["user.add", "token.make"] and rows[0]["user"].startswith("shell")
    assert run(["hub", "audit", folder, "--subject", "team/ours", "--since", "2999-01-01"]) == 0
    assert capsys.readouterr().out == ""
    with closing(Store(served_hub.folder)) as store:
        assert check_store(store).clean
        ((text,),) = store.database.rows("SELECT group_concat(user || token || detail) FROM audit")
    assert str(alice.token) not in text and served_hub.token not in text


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET user='eve' WHERE id=2",
        "DELETE FROM audit WHERE id=2",
        "DELETE FROM audit WHERE id=(SELECT MAX(id) FROM audit)",
    ],
)
def test_a_line_that_was_changed_or_removed_is_found(
    api: HfApi, served_hub: Any, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(api, "org/thing")
    folder = str(served_hub.folder)
    assert run(["hub", "audit", folder, "--check"]) == 0
    with closing(sqlite3.connect(served_hub.folder / "store.db")) as connection, connection:
        connection.execute(change)
    assert run(["hub", "audit", folder, "--check"]) == 5
    assert "audit log" in capsys.readouterr().err
    assert run(["hub", "fsck", folder]) == 5


def test_a_change_that_fails_leaves_no_line(api: HfApi, served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError

    with closing(Store(served_hub.folder)) as store:
        before = store.database.rows("SELECT COUNT(*) FROM audit")
        monkeypatch.setattr("zoo.hub.server.former_names.forget_all", broken)
        with pytest.raises(HfHubHTTPError):
            api.delete_repo("org/thing")
        assert store.database.rows("SELECT COUNT(*) FROM audit") == before


def test_a_cell_is_no_formula(served_hub: Any, ask: Ask, person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    person("alice")
    with closing(Store(served_hub.folder)) as store:
        alice = store.users.find("alice")
        assert alice is not None
        store.users.new_token(alice, "=1+1", "read")
    assert run(["hub", "audit", str(served_hub.folder), "--format", "csv"]) == 0
    assert ",'=1+1" in capsys.readouterr().out


def test_names_and_times_at_the_shell(served_hub: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(served_hub.folder)
    assert run(["hub", "user", "access", folder, "eve", "org", "read"]) == 3
    assert run(["hub", "user", "add", folder, "eve"]) == 0
    assert run(["hub", "user", "access", folder, "eve", "api", "read"]) == 2
    assert run(["hub", "user", "access", folder, "eve", "org", "read"]) == 0
    assert "eve has the right to read in org" in capsys.readouterr().out
    assert run(["hub", "user", "token", folder, "eve", "--expires", "soon"]) == 2
    assert "--expires 'soon' is no time" in capsys.readouterr().err
