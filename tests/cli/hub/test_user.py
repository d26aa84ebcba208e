"""`zoo hub user`."""

import re
import shlex
from typing import Any


def test_add_token_list_rm(pushed: str, says: Any) -> None:
    assert says("hub", "user", "add", "hub", "ann") == "added ann; next:  zoo hub user token hub ann\n"
    assert says("hub", "user", "add", "hub", "ann", "--namespace", "org").startswith("changed ann; ")
    assert re.fullmatch(r"\S{20,}\n", says("hub", "user", "token", "hub", "ann", "--scope", "read"))
    listed = re.sub(r"used \d{4}-\d\d-\d\d", "used DAY", says("hub", "user", "list", "hub"))
    assert listed.splitlines() == [
        "USER  WRITES TO   READS       TOKENS",
        "ann   ann, org    -           read (read, never used)",
        "zoo   everywhere  everywhere  owner (write, used DAY)",
    ]
    assert says("hub", "user", "rm", "hub", "ann") == "removed ann\n"
    said = says("hub", "user", "rm", "hub", "ann", code=3)
    assert said == "zoo: no user 'ann' in hub; `zoo hub user list hub` shows all\n"


def test_a_token_that_reads_leaves_the_one_that_writes(pushed: str, says: Any) -> None:
    says("hub", "user", "add", "hub", "ann")
    says("hub", "user", "token", "hub", "ann")
    says("hub", "user", "token", "hub", "ann", "--scope", "read")
    assert (
        says("hub", "user", "list", "hub")
        .splitlines()[1]
        .endswith("default (write, never used), read (read, never used)")
    )


def test_namespaces_of_the_hubs_own_addresses(pushed: str, says: Any) -> None:
    for name in ("api", "Datasets"):
        assert "part of the Hub's own addresses" in says("hub", "user", "add", "hub", name, code=2)
    assert "part of the Hub's own addresses" in says("hub", "user", "add", "hub", "ann", "--namespace", "cas", code=2)


def test_a_disk_that_is_full(pushed: str, says: Any, monkeypatch: Any) -> None:
    import sqlite3

    from zoo.hub.server.users import Users

    def full(*_: Any, **__: Any) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Users, "add", full)
    assert "failed: database or disk is full; free space" in says("hub", "user", "add", "hub", "ann", code=7)


def test_what_follows_can_be_typed_where_the_folder_has_blanks(tiny: None, says: Any) -> None:
    says("push", "weights", "me/tiny", "--hub", "my hub", "--public")
    said = says("hub", "user", "add", "my hub", "ann")
    assert said == "added ann; next:  zoo hub user token 'my hub' ann\n"
    assert re.fullmatch(r"\S{20,}\n", says(*shlex.split(said.partition("next:  zoo ")[2])))
