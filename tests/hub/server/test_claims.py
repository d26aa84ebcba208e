"""A hash is no right to the bytes: who claims must have sent them."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from huggingface_hub import CommitOperationAdd, HfApi

from tests.hub.server.uploads import XORB, Ask, Cas, chunk, lfs_object, shard

SECRET = b"a secret of somebody else"
SECRET_HASH = hashlib.sha256(SECRET).hexdigest()


def commit_by_hash(ask: Ask, api: HfApi, repo: str, oid: str, **value: Any) -> int:
    line = {"key": "lfsFile", "value": {"path": "mine.bin", "algo": "sha256", "oid": oid, **value}}
    body = json.dumps(line).encode()
    return ask("POST", f"/api/models/{repo}/commit/main", body, Authorization=f"Bearer {api.token}")[0]


def keep_secret(api: HfApi, repo: str, **options: Any) -> None:
    api.create_repo(repo, **options)
    api.create_commit(repo, [CommitOperationAdd("secret.bin", SECRET)], commit_message="a secret")


def steal(ask: Ask, thief: HfApi, cas: Cas) -> bytes | None:
    """Claim the secret's hash for junk where `cas` leads to, then have it built in a repo of one's own."""
    cas(f"/v1/xorbs/default/{XORB}", chunk(b"x" * len(SECRET)))
    claim = shard(SECRET_HASH, [(XORB, 0, 1, len(SECRET))])
    cas("/v1/shards", claim)
    thief.create_repo("mallory/loot")
    Cas(ask, thief, "mallory/loot")("/v1/shards", claim)
    commit_by_hash(ask, thief, "mallory/loot", SECRET_HASH, size=len(SECRET))
    status, _, content = ask("GET", "/mallory/loot/resolve/main/mine.bin")
    return content if status == 200 else None


def test_127_128_a_deleted_repo_gives_no_hold_on_the_one_that_comes_after(
    api: HfApi, person: Callable[..., HfApi], ask: Ask
) -> None:
    mallory, victim = person("mallory"), person("victim")
    mallory.create_repo("mallory/bait")
    cas = Cas(ask, mallory, "mallory/bait")
    mallory.delete_repo("mallory/bait")
    keep_secret(victim, "victim/secret", private=True)
    assert steal(ask, mallory, cas) != SECRET


def test_128_junk_is_no_proof_even_where_the_repo_has_the_bytes(
    api: HfApi, person: Callable[..., HfApi], ask: Ask
) -> None:
    """A member of a team may not take bytes along that were never sent by them."""
    mallory, victim = person("mallory", "team"), person("victim", "team")
    keep_secret(victim, "team/secret", private=True)
    assert steal(ask, mallory, Cas(ask, mallory, "team/secret")) != SECRET


def test_128_a_hash_alone_gives_nothing(api: HfApi, person: Callable[..., HfApi], ask: Ask) -> None:
    mallory, victim = person("mallory", "team"), person("victim", "team")
    keep_secret(victim, "victim/secret", private=True)
    keep_secret(victim, "team/secret", private=True)
    mallory.create_repo("mallory/loot")
    for repo in ("mallory/loot", "team/secret"):
        cas = Cas(ask, mallory, repo)
        assert cas("/v1/shards", shard(SECRET_HASH, [("ee" * 32, 0, 1, len(SECRET))])) == 400  # nobody sent that xorb
        cas(f"/v1/xorbs/default/{XORB}", chunk(b"x" * len(SECRET)))
        assert cas("/v1/shards", shard(SECRET_HASH, [(XORB, 0, 1, len(SECRET))])) == 422
    for value in ({}, {"size": len(SECRET)}):  # a copy, a file
        assert commit_by_hash(ask, mallory, "mallory/loot", SECRET_HASH, **value) == 422
    assert "actions" in lfs_object(ask, mallory, "mallory/loot", SECRET)


def test_what_is_sent_where_it_is_known_is_compared_and_counts(
    api: HfApi, person: Callable[..., HfApi], ask: Ask, served_hub: Any
) -> None:
    """The second who sends a file has proved as much as the first, and keeps no xorb behind."""
    keep_secret(person("victim", "team"), "team/secret", private=True)
    mallory = person("mallory", "team")
    cas = Cas(ask, mallory, "team/secret")
    assert cas(f"/v1/xorbs/default/{XORB}", chunk(SECRET)) == 200
    assert cas("/v1/shards", shard(SECRET_HASH, [(XORB, 0, 1, len(SECRET))])) == 200
    assert not list((served_hub.folder / "xorbs").iterdir())
    mallory.create_repo("mallory/copy")
    cas = Cas(ask, mallory, "mallory/copy")
    assert cas("/v1/shards", shard(SECRET_HASH, [(XORB, 0, 1, len(SECRET))])) == 200
    assert commit_by_hash(ask, mallory, "mallory/copy", SECRET_HASH) == 200
