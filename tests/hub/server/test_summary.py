"""What lists say of a repo: worked out within bounds, and while nobody waits."""

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from zoo.hub.server import commits, summary
from zoo.hub.server.changes import Change
from zoo.hub.server.commits import Request
from zoo.hub.server.http import HttpError
from zoo.hub.server.repos import Repo
from zoo.hub.server.store import Store
from zoo.hub.server.trees import regular_file


def weights(header: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header


def shaped(shape: str, dtype: str = "F32") -> bytes:
    return b'{"__metadata__": {"shape": "x"}, "a": {"dtype": "%s", "shape": %s, "data_offsets": [0, 4]}}' % (
        dtype.encode(),
        shape.encode(),
    )


def put(store: Store, **files: bytes) -> Repo:
    store.commits.create_repo("models", "org/thing", False, "zoo")
    repo = store.repos.find("models", "org/thing")
    assert repo is not None
    new = [store.blobs.write(content) for content in files.values()]
    changes = [
        Change("put", path, regular_file(path, content, blob.sha256))
        for (path, content), blob in zip(files.items(), new, strict=True)
    ]
    store.commits.add(repo, "main", Request(changes, "zoo", "put", "", None, "put " + " ".join(files), new))
    found = store.repos.find("models", "org/thing")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("header", "parameters"),
    [
        (shaped("[2, 3]"), {"F32": 6}),
        (shaped("[]"), {"F32": 1}),
        (shaped("[0, 4611686018427387903, 4611686018427387903]"), {"F32": 0}),
        (shaped(f"[{', '.join(['1e308'] * 2000)}]"), {}),
        (shaped(f"[{', '.join(['9223372036854775807'] * 64)}]"), {}),
        (shaped(f"[{', '.join(['1000000000'] * 60)}]"), {}),
        (shaped(f"[{', '.join(['1'] * 65)}]"), {}),
        (shaped("[" + "9" * 100_000 + "]"), {}),
        (shaped("[-1]"), {}),
        (shaped("[true]"), {}),
        (shaped('["1"]'), {}),
        (shaped("[1]", "x" * 1000), {}),
        (b"{" + b", ".join(b'"%d": {"dtype": "T%d", "shape": [1]}' % (n, n) for n in range(21)) + b"}", {}),
        (b'{"a": ' * 100_000, {}),
        (b"[]", {}),
        (b"\xff", {}),
    ],
    ids=lambda value: str(value)[:20],
)
def test_125_numbers_of_a_hostile_header(tmp_path: Path, header: bytes, parameters: dict[str, int]) -> None:
    store = Store(tmp_path / "hub")
    repo = put(store, **{"model.safetensors": weights(header)})
    assert (repo.summary.files, repo.summary.parameters) == (1, parameters)
    store.close()


def test_125_many_headers_are_read_as_far_as_one_request_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    decode = summary._decode_header
    monkeypatch.setattr(summary, "_decode_header", lambda header: (read.append(len(header)), decode(header))[1])
    monkeypatch.setattr(summary, "_MAX_HEADERS", 1_000)
    store = Store(tmp_path / "hub")
    header = weights(shaped("[2]"))
    assert put(store, **{f"{n}.safetensors": header for n in range(100)}).summary.parameters == {}
    assert 0 < sum(read) <= 1_000
    store.close()


def test_125_nothing_is_locked_while_a_repo_is_summarised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "hub")
    summarised = []
    summarise = commits.summarise

    def watched(*arguments: Any) -> Any:
        other = sqlite3.connect(store.folder / "store.db", timeout=0)
        other.execute("BEGIN IMMEDIATE")  # raises where somebody else writes
        other.close()
        summarised.append(arguments)
        return summarise(*arguments)

    monkeypatch.setattr(commits, "summarise", watched)
    card = b"---\ntags: [one]\n---\n"
    repo = put(store, **{"README.md": card, "model.safetensors": weights(json.dumps({}).encode())})
    assert len(summarised) == 1 and repo.summary.tags == ["one"] and repo.summary.size == len(card) + 10
    store.close()


def test_a_branch_that_moves_meanwhile_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "hub")
    summarise = commits.summarise
    repo = put(store, first=b"first")

    def slow(*arguments: Any) -> Any:
        monkeypatch.setattr(commits, "summarise", summarise)
        put(store, second=b"second")
        return summarise(*arguments)

    monkeypatch.setattr(commits, "summarise", slow)
    blob = store.blobs.write(b"third")
    change = Change("put", "third", regular_file("third", b"third", blob.sha256))
    head = store.commits.add(repo, "main", Request([change], "zoo", "third", "", None, "third", [blob]))
    assert sorted(store.trees.files(store.commits.tree(repo, head))) == ["first", "second", "third"]
    assert [commit.title for commit in store.commits.history(repo, head, 9)] == [
        "third",
        "put",
        "put",
        "initial commit",
    ]
    found = store.repos.find("models", "org/thing")
    assert found is not None and found.head == head and found.summary.files == 3
    store.close()


def test_125_nothing_is_flushed_while_the_database_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "hub")
    flushed = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        other = sqlite3.connect(store.folder / "store.db", timeout=0)
        other.execute("BEGIN IMMEDIATE")
        other.close()
        flushed.append(descriptor)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    put(store, **{str(n): b"%d" % n for n in range(10)})
    assert len(flushed) >= 20  # each file, and at least its own folder
    store.close()


def test_what_a_collector_takes_before_the_commit_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "hub")
    place = store.blobs.place

    def placed_and_collected(new: Any) -> None:
        place(new)
        for blob in new:
            store.blobs.path(blob.sha256).unlink()

    monkeypatch.setattr(store.blobs, "place", placed_and_collected)
    with pytest.raises(HttpError, match="send it again") as caught:
        put(store, **{"a.txt": b"text"})
    assert caught.value.status == 503
    monkeypatch.undo()
    assert put(store, **{"a.txt": b"text"}).summary.files == 1
    store.close()
