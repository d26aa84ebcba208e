"""Uploads in parts: whose they are, how long they are kept, how many there may be."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import HfApi

from tests.hub.server.rights import (
    CONTENT,
    Case,
    made_private,
    part_of_a_file,
    parts_together,
    repo_deleted,
    upload_address,
    user_removed,
)
from tests.hub.server.uploads import count_calls, lfs_object


def test_parts_belong_to_who_began_them(case: Case) -> None:
    """A second member of the team neither finishes nor spoils what the first has begun."""
    finish = parts_together(case)
    case.store.users.add("second", (f"{case.name}-team",))
    second = case.store.users.find("second")
    assert second is not None
    api = HfApi(endpoint=case.hub.url, token=case.store.users.new_token(second, "laptop", "write"))
    upload = lfs_object(case.ask, api, case.repo, case.content)["actions"]["upload"]
    for number in range(1, len(upload["header"])):
        assert case.ask("PUT", urlsplit(upload["header"][str(number)]).path, b"x" * 10)[0] in (200, 413, 422)
    body = json.dumps({"oid": case.oid, "parts": []}).encode()
    assert case.ask("POST", urlsplit(upload["href"]).path, body)[0] == 422
    assert finish() == 200


def temporary(case: Case, wanted: int) -> int:
    """Return how many temporary files there are, once they are so many or it took too long."""
    deadline = time.monotonic() + 60
    while (count := len(list((case.hub.folder / "temporary").iterdir()))) != wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    return count


@pytest.mark.parametrize("event", [user_removed, repo_deleted, made_private])
def test_127_parts_go_with_their_capability(alone: Case, event: Callable[[Case], None]) -> None:
    assert part_of_a_file(alone)() == 200
    assert temporary(alone, 1) == 1
    event(alone)
    assert temporary(alone, 0) == 0


def test_parts_that_nothing_follows_go(alone: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.hub.server.parts._KEPT_SECONDS", 0)
    assert part_of_a_file(alone)() == 200
    assert temporary(alone, 0) == 0


def test_one_user_begins_only_so_many_uploads(alone: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.hub.server.parts._UPLOADS_A_USER", 2)
    finish = parts_together(alone)
    for number in range(3):
        alone.content = CONTENT + b"%d" % number
        assert part_of_a_file(alone)() == 200
    assert temporary(alone, 2) == 2
    assert finish() == 422  # the oldest was given up
    user_removed(alone)
    assert temporary(alone, 0) == 0


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([{"partNumber": [], "etag": "x"}], 400),
        ([{"partNumber": 1, "etag": {}}], 400),
        ([{"etag": "x"}], 400),
        ([{"partNumber": number, "etag": "x"} for number in range(1, 2000)], 422),
        ([{"partNumber": 1}] * 10_001, 400),
    ],
)
def test_125_any_list_of_parts_is_answered(case: Case, parts: list[Any], status: int) -> None:
    body = json.dumps({"oid": case.oid, "parts": parts}).encode()
    assert case.ask("POST", upload_address(case), body)[0] == status


def test_125_addresses_of_parts_are_only_so_many(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.hub.server.routes_lfs._MAX_PARTS", 20)
    issued = count_calls(monkeypatch, "zoo.hub.server.routes_lfs._actions")
    items = [{"oid": f"{number:064x}", "size": 50} for number in range(100)]
    body = json.dumps({"operation": "upload", "transfers": ["multipart"], "objects": items}).encode()
    bearer = f"Bearer {case.api.token}"
    assert case.ask("POST", f"/{case.repo}.git/info/lfs/objects/batch", body, Authorization=bearer)[0] == 413
    assert len(issued) == 4
