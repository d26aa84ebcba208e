"""The changes of a commit: what comes of them, and what they cost."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from huggingface_hub import HfApi
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.hub.server.changes import Change, change_tree
from zoo.hub.server.commits import Request
from zoo.hub.server.http import HttpError
from zoo.hub.server.repos import Repo
from zoo.hub.server.store import Store
from zoo.hub.server.trees import Entry, Trees, regular_file

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(tmp_path_factory.mktemp("changes") / "hub")
    yield store
    store.close()


def new_repo(store: Store, name: str) -> Repo:
    store.commits.create_repo("models", name, False, "zoo")
    repo = store.repos.find("models", name)
    assert repo is not None
    return repo


def entry(path: str, content: bytes = b"x") -> Entry:
    return regular_file(path.rpartition("/")[2], content, "0" * 64)


def tree_of(store: Store, paths: list[str]) -> str:
    empty = store.commits.tree(
        repo := store.repos.find("models", "org/empty") or new_repo(store, "org/empty"), repo.head
    )
    made = change_tree(store.trees, empty, [Change("put", path, entry(path)) for path in paths])
    with store.database.transaction() as connection:
        store.trees.insert(connection, made.folders)
    return made.root


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    read: list[str] = []
    entries = Trees.entries

    def counted(self: Trees, oid: str, *rest: Any) -> Any:
        read.append(oid)
        return entries(self, oid, *rest)

    monkeypatch.setattr(Trees, "entries", counted)
    return read


def test_125_a_folder_deleted_500_times_is_read_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = new_repo(store, "org/many")
    blob = store.blobs.write(b"x")
    puts = [Change("put", f"all/{n % 500}/{n}", regular_file(str(n), b"x", blob.sha256)) for n in range(20_000)]
    store.commits.add(repo, "main", Request(puts, "zoo", "put", "", None, "put", [blob]))
    read = count_reads(monkeypatch)
    deletions = [Change("delete folder", "all")] * 250 + [Change("delete folder", f"all/{n}") for n in range(250)]
    head = store.commits.add(repo, "main", Request(deletions, "zoo", "delete", "", None, "delete"))
    assert len(read) <= 5
    monkeypatch.undo()
    assert store.trees.files(store.commits.tree(repo, head)) == {}


def test_125_20_000_files_deleted_one_by_one_read_each_folder_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [f"{n % 50}/{n}" for n in range(20_000)]
    root = tree_of(store, [*paths, "kept"])
    monkeypatch.setattr("zoo.hub.server.trees._CACHED_ENTRIES", 10)  # folders too large to be kept
    read = count_reads(monkeypatch)
    made = change_tree(store.trees, root, [Change("delete file", path) for path in paths])
    assert len(read) <= 2 * 51
    assert store.trees.files(made.root, made.folders) == {"kept": entry("kept")}


names = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
kinds: Any = st.sampled_from(["put", "put", "delete file", "delete folder"])


def expected(before: set[str], changes: list[tuple[str, str]]) -> set[str] | int:
    """Return the files that are left, or the status of the refusal, as git would find one file after another."""
    there = set(before)
    for kind, path in changes:
        if kind == "put":
            there.add(path)
        elif kind == "delete file":
            if path not in there:
                return 404
            there.remove(path)
        else:
            there = {name for name in there if not name.startswith(f"{path}/")}
    clash = any(other.startswith(f"{path}/") for path in there for other in there)
    return 422 if clash else there


@settings(max_examples=200, deadline=None, database=None)
@given(before=st.lists(names, max_size=6), changes=st.lists(st.tuples(kinds, names), max_size=8))
def test_changes_in_the_order_in_which_they_are_asked_for(
    store: Store, before: list[str], changes: list[tuple[Any, str]]
) -> None:
    files: set[str] = set()
    for path in before:
        if not any(path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/") for other in files):
            files.add(path)
    root = tree_of(store, sorted(files))
    asked = [Change(kind, path, entry(path) if kind == "put" else None) for kind, path in changes]
    try:
        made = change_tree(store.trees, root, asked)
        result: set[str] | int = set(store.trees.files(made.root, made.folders))
    except HttpError as error:
        result = error.status
    assert result == expected(files, changes)


def lines(*operations: tuple[str, dict[str, Any]]) -> bytes:
    return b"\n".join(json.dumps({"key": key, "value": value}).encode() for key, value in operations)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (lines(("deletedFolder", {"path": "a"})) + (b"\n" + lines(("deletedFolder", {"path": "a"}))) * 50_000, 413),
        (lines(*(("deletedFolder", {"path": f"{n}{'/a' * 60}"}) for n in range(2_000))), 422),
        (lines(("file", {"path": "a/" * 64 + "a", "content": ""})), 422),
        (lines(("file", {"path": "a", "content": "", "size": 1})) + b"0" * 5_000, 400),
        (b'{"key":"header","value":{"summary":1e308}}', 400),
        (b'{"key":"file","value":{"path":"a","content":"","size":' + b"9" * 100_000 + b"}}", 200),
        (b'{"key":"header","value":{"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}}", 400),
    ],
    ids=["changes", "names", "depth", "no-json", "no-text", "large-number", "nested"],
)
def test_125_commits_beyond_the_bounds(api: HfApi, ask: Ask, body: bytes, status: int) -> None:
    answer = ask("POST", "/api/models/org/thing/commit/main", body, Authorization=f"Bearer {api.token}")
    assert answer[0] == status, answer
    assert status == 200 or len(api.list_repo_commits("org/thing")) == 1


def test_history_credits_no_commit_that_was_not_looked_at(store: Store) -> None:
    repo = new_repo(store, "org/history")
    blob = store.blobs.write(b"y")
    for number, paths in enumerate((["old", "new"], ["a"], ["b"], ["new"])):
        changes = [Change("put", path, regular_file(path, b"%d" % number, blob.sha256)) for path in paths]
        head = store.commits.add(
            repo, "main", Request(changes, "zoo", f"{number}", "", None, f"{number}", [blob] if not number else [])
        )
    found = store.commits.last_changes(repo, head, ["old", "new"], 3)
    assert {path: commit.title for path, commit in found.items()} == {"new": "3"}
    found = store.commits.last_changes(repo, head, ["old", "new"])
    assert {path: commit.title for path, commit in found.items()} == {"new": "3", "old": "0"}


def test_125_last_changes_in_many_folders_look_less_far_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = new_repo(store, "org/long")
    blob = store.blobs.write(b"z")
    for number in range(30):
        change = Change("put", "changing", regular_file("changing", b"%d" % number, blob.sha256))
        head = store.commits.add(
            repo, "main", Request([change], "zoo", "t", "", None, f"{number}", [blob] if not number else [])
        )
    monkeypatch.setattr("zoo.hub.server.commits._MAX_COMPARED", 1_000)
    read = count_reads(monkeypatch)
    store.commits.last_changes(repo, head, [f"{n}/none" for n in range(100)])
    assert len(read) <= 100 + 1_000


def test_a_body_in_many_lines_is_one_commit(api: HfApi, ask: Ask) -> None:
    content = base64.b64encode(b"text").decode()
    body = lines(
        ("header", {"summary": "many"}), *(("file", {"path": f"{n}.txt", "content": content}) for n in range(50))
    )
    assert ask("POST", "/api/models/org/thing/commit/main", body, Authorization=f"Bearer {api.token}")[0] == 200
    assert [item.title for item in api.list_repo_commits("org/thing")] == ["many", "initial commit"]
    assert len(api.list_repo_files("org/thing")) == 50
