"""What was given to upload with is good for what it was given for, and no longer than that lasts."""

import hashlib
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.hub.server.rights import (
    Case,
    Use,
    commit_under_way,
    file_under_way,
    gated,
    made_private,
    namespace_taken_away,
    part_of_a_file,
    parts_together,
    repo_deleted,
    repo_deleted_and_made_again,
    repo_moved,
    shard_in_lines,
    shard_of_it,
    token_replaced,
    token_revoked,
    upload_address,
    user_removed,
    verification,
    whole_file,
    xorb,
)
from tests.hub.server.uploads import XORB
from zoo.errors import AuthorizationError
from zoo.hub.failures import hub_errors

SIGNED = [xorb, shard_of_it, shard_in_lines, whole_file, part_of_a_file, parts_together, file_under_way]
WITH_TOKEN = [verification, commit_under_way]
OF_THE_USER = [user_removed, token_revoked, token_replaced, namespace_taken_away]
OF_THE_REPO = [repo_deleted, repo_deleted_and_made_again, repo_moved]
OF_ITS_READERS = [made_private, gated]
TABLE = [
    *itertools.product(SIGNED, [*OF_THE_USER, *OF_THE_REPO, *OF_ITS_READERS]),
    *itertools.product(WITH_TOKEN, [*OF_THE_USER, *OF_THE_REPO]),
]


@pytest.mark.parametrize(("capability", "event"), TABLE, ids=lambda function: function.__name__)
def test_127_no_capability_outlives_what_it_was_given_for(
    case: Case, capability: Callable[[Case], Use], event: Callable[[Case], None]
) -> None:
    use = capability(case)
    before = case.kept()
    event(case)
    assert use() in (401, 403, 404)
    assert set(case.kept()) <= set(before)


@pytest.mark.parametrize("capability", [*SIGNED, *WITH_TOKEN])
def test_a_capability_is_good_while_nothing_changes(case: Case, capability: Callable[[Case], Use]) -> None:
    use = capability(case)
    case.store.users.add("somebody-else")
    assert use() == 200


@pytest.mark.parametrize("event", OF_ITS_READERS)
def test_a_commit_under_way_lands_when_its_repo_is_hidden_meanwhile(case: Case, event: Callable[[Case], None]) -> None:
    use = commit_under_way(case)
    event(case)
    assert use() == 200


@pytest.mark.parametrize("change", [{"private": False}, {"gated": False}])
def test_settings_that_change_nothing_end_nothing(case: Case, change: dict[str, Any]) -> None:
    use = whole_file(case)
    case.owner.update_repo_settings(case.repo, **change)
    assert use() == 200


def test_127_a_capability_is_for_one_purpose_and_no_other(case: Case) -> None:
    address = upload_address(case)
    *_, text = address.split("/")
    assert case.ask("POST", f"/cas/x/v1/xorbs/default/{XORB}", b"", Authorization=f"Bearer {text}")[0] == 403
    other = hashlib.sha256(b"other").hexdigest()
    assert case.ask("PUT", address.replace(case.oid, other), b"other")[0] == 403
    for number in range(4):  # another token, user, repo, epoch than was signed
        words = text.split(".")
        words[number] = "0" * 16 if number == 0 else str(int(words[number]) + 1)
        assert case.ask("PUT", address.replace(text, ".".join(words)), case.content)[0] == 403
    assert case.api.token is not None and case.api.token not in text


@pytest.mark.parametrize("event", [user_removed, token_replaced, repo_deleted, made_private])
def test_127_a_push_that_loses_its_right_ends_in_4(
    case: Case, event: Callable[[Case], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants, lfs

    def upload(*arguments: Any, **options: Any) -> None:
        event(case)
        real(*arguments, **options)

    real = lfs._upload_single_part
    monkeypatch.setattr(lfs, "_upload_single_part", upload)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with pytest.raises(AuthorizationError) as caught, hub_errors(case.repo, None, case.hub.url):
        case.api.upload_file(path_or_fileobj=b"small", path_in_repo="a.bin", repo_id=case.repo)
    assert caught.value.exit_code == 4
