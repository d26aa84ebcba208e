"""The write side of Xet, asked by strangers who know the format well."""

import hashlib
import io
import json
import os
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import lz4.frame
import pytest
from huggingface_hub import HfApi
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.server.uploads import XORB, chunk, count_calls, shard
from zoo.hub.server.collect import collect
from zoo.hub.server.http import HttpError
from zoo.hub.server.store import Store
from zoo.hub.server.xet import Unpacker, read_shard

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture
def cas(api: HfApi, ask: Ask) -> Callable[[str, bytes], tuple[int, Any]]:
    """Return a function that posts to the Xet routes of org/thing."""
    answer = json.loads(
        ask("GET", "/api/models/org/thing/xet-write-token/main", Authorization=f"Bearer {api.token}")[2]
    )
    base, bearer = urlsplit(answer["casUrl"]).path, f"Bearer {answer['accessToken']}"

    def post(route: str, body: bytes) -> tuple[int, Any]:
        status, _, content = ask("POST", f"{base}{route}", body, Authorization=bearer)
        return status, content

    return post


def files_of(hub: Any, part: str) -> list[Path]:
    return [path for path in (hub.folder / part).rglob("*") if path.is_file()]


@pytest.mark.parametrize("route", ["/shards", "/v1/shards", "/v2/shards"])
@pytest.mark.parametrize("scheme", [0, 1, 2])
def test_a_file_is_built(cas: Any, served_hub: Any, route: str, scheme: int) -> None:
    contents = [os.urandom(1001), b"a" * 131_072, b"xyz" * 7]
    packed = [
        content if scheme == 0 else b"".join(content[place::4] for place in range(4)) if scheme == 2 else content
        for content in contents
    ]
    stored = [lz4.frame.compress(content) if scheme else content for content in packed]
    xorb = b"".join(chunk(content, scheme, part) for content, part in zip(contents, stored, strict=True))
    assert json.loads(cas(f"/v1/xorbs/default/{XORB}", xorb + b"XETBLOB-and-more")[1]) == {"was_inserted": True}
    whole = b"".join(contents)
    oid = hashlib.sha256(whole).hexdigest()
    status, answer = cas(route, shard(oid, [(XORB, 0, 3, len(whole))]))
    assert status == 200
    assert json.loads(answer) == ({"type": "result"} if route == "/v2/shards" else {"result": 1})
    assert (served_hub.folder / "blobs" / oid[:2] / oid[2:4] / oid).read_bytes() == whole
    assert not files_of(served_hub, "xorbs") and not files_of(served_hub, "temporary")


def test_what_was_sent_once_need_not_be_sent_again(cas: Any, served_hub: Any) -> None:
    parts = [os.urandom(5000) for _ in range(3)]
    cas(f"/v1/xorbs/default/{XORB}", b"".join(map(chunk, parts)))
    cas("/shards", shard(hashlib.sha256(b"".join(parts)).hexdigest(), [(XORB, 0, 3, 15_000)]))
    assert not files_of(served_hub, "xorbs")  # its chunks lie in the blob now
    other = parts[1] + parts[2] + parts[0]
    terms = [(XORB, 1, 3, 10_000), (XORB, 0, 1, 5_000)]
    assert cas("/shards", shard(hashlib.sha256(other).hexdigest(), terms))[0] == 200


def test_a_known_file_is_not_built_again(cas: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    oid = hashlib.sha256(b"hello").hexdigest()
    cas(f"/v1/xorbs/default/{XORB}", chunk(b"hello"))
    assert cas("/shards", shard(oid, [(XORB, 0, 1, 5)]))[0] == 200
    writers = count_calls(monkeypatch, "zoo.hub.server.rebuild.BlobWriter")
    assert cas("/shards", shard(oid, [(XORB, 0, 1, 5)]))[0] == 200
    assert cas("/shards", shard(oid, [("ee" * 32, 0, 1, 5)]))[0] == 400  # a xorb that nobody has
    assert not writers


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ([("ee" * 32, 0, 1, 5)], b"not uploaded"),
        ([(XORB, 0, 2, 10)], b"fewer chunks"),
        ([(XORB, 1, 1, 0)], b"fewer chunks"),
        ([(XORB, 0, 2**32 - 1, 5)], b"fewer chunks"),
        ([(XORB, 0, 1, 4)], b"another length"),
        ([(XORB, 0, 1, 6)], b"another length"),
    ],
)
def test_shards_that_lie(cas: Any, served_hub: Any, terms: list[Any], said: bytes) -> None:
    cas(f"/v1/xorbs/default/{XORB}", chunk(b"hello"))
    status, answer = cas("/v1/shards", shard(hashlib.sha256(b"hello").hexdigest(), terms))
    assert status == 400 and said in answer
    answer = json.loads(cas("/v2/shards", shard(hashlib.sha256(b"hello").hexdigest(), terms))[1])
    assert answer["type"] == "error" and not answer["retryable"]
    assert not files_of(served_hub, "blobs") and not files_of(served_hub, "temporary")


def test_105_wrong_sha256(cas: Any, served_hub: Any) -> None:
    cas(f"/v1/xorbs/default/{XORB}", chunk(b"hello"))
    assert cas("/v1/shards", shard("0" * 64, [(XORB, 0, 1, 5)]))[0] == 422
    assert cas("/v1/shards", shard("0" * 64, [(XORB, 0, 1, 5)], with_sha256=False))[0] == 400
    assert not files_of(served_hub, "blobs")


def test_a_bomb_unpacks_no_further_than_it_says(cas: Any, served_hub: Any) -> None:
    bomb = lz4.frame.compress(bytes(50_000_000))
    assert cas(f"/v1/xorbs/default/{XORB}", chunk(b"", 1, bomb, 5))[0] == 400
    assert cas("/v1/shards", shard(hashlib.sha256(bytes(5)).hexdigest(), [(XORB, 0, 1, 5)]))[0] == 400
    assert not files_of(served_hub, "blobs")


@pytest.mark.parametrize(
    "xorb", [b"x", b"\1" + chunk(b"hello")[1:], chunk(b"hello")[:-1], chunk(b"hello", 3), chunk(b"", length=200_000)]
)
def test_broken_xorbs(cas: Any, served_hub: Any, xorb: bytes) -> None:
    assert cas(f"/v1/xorbs/default/{XORB}", xorb)[0] == 400
    assert cas("/v1/xorbs/default/../../x", xorb)[0] in (400, 404)
    assert not files_of(served_hub, "xorbs") and not files_of(served_hub, "temporary")


def test_the_routes_need_their_own_token(api: HfApi, ask: Ask, served_hub: Any) -> None:
    for token in ("", "x", api.token, f"1.1.99999999999.{'0' * 64}"):
        bearer = {"Authorization": f"Bearer {token}"}
        assert ask("POST", "/cas/x/v1/shards", b"", **bearer)[0] in (401, 403)
        assert ask("POST", f"/cas/x/v1/xorbs/default/{XORB}", b"", **bearer)[0] in (401, 403)


def test_xorbs_are_kept_by_user(api: HfApi, ask: Ask, served_hub: Any, tmp_path: Path) -> None:
    store = Store(served_hub.folder)
    for user, content in ((1, b"right"), (2, b"wrong")):
        store.users.add(f"user-{user}")
        path = store.blobs.temporary / f"x{user}"
        path.write_bytes(content)
        lengths = array("I", [len(content)])
        assert store.xorbs.add(user, XORB, path, lengths, lambda: None)  # the other's hash blocks nobody
    store.close()


def test_a_xorb_may_come_in_any_pieces(cas: Any) -> None:
    xorb = b"".join(map(chunk, (b"hello", b"x" * 300, b"world"))) + b"XETBLOB-and-more"
    for length in (1, 2, 7, 8, 9, 13, 14, 100, 400):
        file = io.BytesIO()
        unpacker = Unpacker(file)
        for start in range(0, len(xorb), length):
            unpacker.write([xorb[start : start + length]])
        unpacker.finish()
        assert file.getvalue() == b"hello" + b"x" * 300 + b"world" and list(unpacker.lengths) == [5, 300, 5]


def test_a_xorb_whose_chunks_are_gone_is_taken_again(cas: Any, served_hub: Any) -> None:
    """As after a backup was restored, or a blob put aside."""
    cas(f"/v1/xorbs/default/{XORB}", chunk(b"hello"))
    store = Store(served_hub.folder)
    with store.database.transaction() as connection:
        connection.execute("UPDATE xorbs SET file=NULL")
    store.close()
    oid = hashlib.sha256(b"hello").hexdigest()
    assert b"upload it again" in cas("/v1/shards", shard(oid, [(XORB, 0, 1, 5)]))[1]
    assert cas(f"/v1/xorbs/default/{XORB}", chunk(b"hello"))[0] == 200
    assert cas("/v1/shards", shard(oid, [(XORB, 0, 1, 5)]))[0] == 200


def test_a_xorb_that_is_sent_again_otherwise_is_what_was_sent_last(cas: Any) -> None:
    cas(f"/v1/xorbs/default/{XORB}", chunk(b"hello") + chunk(b"x"))
    assert cas("/v1/shards", shard(hashlib.sha256(b"hello").hexdigest(), [(XORB, 0, 1, 5)]))[0] == 200
    cas(f"/v1/xorbs/default/{XORB}", chunk(b"other words") + chunk(b"y"))
    for content, first in ((b"y", 1), (b"other words", 0)):
        oid = hashlib.sha256(content).hexdigest()
        assert cas("/v1/shards", shard(oid, [(XORB, first, first + 1, len(content))]))[0] == 200
    whole = hashlib.sha256(b"yother words").hexdigest()
    terms = [(XORB, 1, 2, 1), (XORB, 0, 1, 11)]
    assert cas("/v1/shards", shard(whole, terms))[0] == 200


def test_a_store_that_forgot_chunks_looks_like_another(cas: Any, served_hub: Any) -> None:
    store = Store(served_hub.folder)
    cas(f"/v1/xorbs/default/{XORB}", chunk(b"hello"))
    cas("/shards", shard(hashlib.sha256(b"hello").hexdigest(), [(XORB, 0, 1, 5)]))
    before = store.id
    assert collect(store).blobs == 0 and store.id == before
    assert collect(store, older_than=-1).blobs == 1
    assert store.id != before
    store.close()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 3))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes, cut: int) -> None:
    path = tmp_path_factory.getbasetemp() / "any"

    def unpack() -> None:
        unpacker = Unpacker(io.BytesIO())
        unpacker.write(file)
        unpacker.finish()

    for prefix in (b"", chunk(b"hello")[: 5 + cut], shard("ab" * 32, [(XORB, 0, 1, 5)])[: 96 + cut * 40]):
        path.write_bytes(prefix + content)
        with open(path, "rb") as file:
            for read in (unpack, lambda: read_shard(file)):
                try:
                    read()
                except HttpError as error:
                    assert error.status in (400, 413)
