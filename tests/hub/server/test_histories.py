"""Trees and histories, walked in the store: every page, every last change and every difference is there, once."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.hub.server.changes import Change, NewTree, change_tree
from zoo.hub.server.commits import Commit
from zoo.hub.server.pages.history import differences
from zoo.hub.server.repos import Repo
from zoo.hub.server.routes_trees import _entries_after
from zoo.hub.server.store import Store
from zoo.hub.server.trees import Entry, large_file


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(tmp_path_factory.mktemp("lists") / "hub")
    store.commits.create_repo("models", "org/thing", False, "zoo")
    yield store
    store.close()


def file(path: str, content: int) -> Entry:
    return large_file(path.rpartition("/")[2], f"{content:064x}", content)


def grown(store: Store, *changes: dict[str, Entry | None]) -> list[str]:
    """Return the trees that come of changes, one after the other."""
    trees = [NewTree().add([])]
    for change in changes:
        steps = [Change("put" if entry else "delete file", path, entry) for path, entry in change.items()]
        tree = change_tree(store.trees, trees[-1], steps)
        with store.database.transaction() as connection:
            store.trees.insert(connection, tree.folders)
        trees.append(tree.root)
    return trees[1:]


NAMES = st.sampled_from(["a", "a-b", "a.b", "aa", "b", "ab", "a0", "é"])


PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths=st.sets(PATHS, min_size=1, max_size=20), size=st.integers(1, 5), recursive=st.booleans())
def test_every_page_of_a_tree_together_is_the_whole(store: Store, paths: set[str], size: int, recursive: bool) -> None:
    files = {path: file(path, 1) for path in paths if not any(other.startswith(f"{path}/") for other in paths)}
    (root,) = grown(store, files)
    whole = list(store.trees.walk(root)) if recursive else list(store.trees.entries(root).items())
    found: list[tuple[str, Entry]] = []
    cursor = ""
    while True:
        rest = list(_entries_after(store.trees, root, cursor, recursive))
        assert rest == whole[len(found) :]
        if not rest:
            break
        found += rest[:size]
        path, entry = found[-1]
        cursor = path + "/" * entry.folder


def slow_last_changes(store: Store, repo: Repo, oid: str, paths: list[str], limit: int) -> dict[str, str]:
    history = store.commits.history(repo, oid, limit)
    found = {}
    for path in paths:
        for newer, older in zip(history, [*history[1:], None], strict=True):
            if not older and newer.parent:
                break  # the limit: which commit further back it was is not known
            if not older or store.trees.find(older.tree, path) != store.trees.find(history[0].tree, path):
                found[path] = newer.oid
                break
    return found


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    commits=st.lists(st.dictionaries(PATHS, st.integers(0, 3), max_size=4), min_size=1, max_size=8),
    asked=st.lists(PATHS, max_size=6),
    limit=st.sampled_from([1, 3, 1000]),
)
def test_last_changes(store: Store, commits: list[dict[str, int]], asked: list[str], limit: int) -> None:
    repo = store.repos.find("models", "org/thing")
    assert repo is not None
    present: dict[str, Entry] = {}
    changes: list[dict[str, Entry | None]] = []
    for contents in commits:
        change: dict[str, Entry | None] = {}
        for path, content in contents.items():
            near = {*present, *change}
            if any(other != path and (f"{other}/").startswith(f"{path}/") for other in near) or any(
                other != path and f"{path}/".startswith(f"{other}/") for other in near
            ):
                continue
            if content == 0 and path not in present:
                continue
            change[path] = file(path, content) if content else None
        present = {path: entry for path, entry in (present | change).items() if entry}
        changes.append(change)
    parent = None
    trees = grown(store, *changes)
    with store.database.transaction() as connection:
        for number, tree in enumerate(trees):
            commit = Commit(f"{number:040x}", parent, tree, "me", "t", "", "2026-01-01T00:00:00Z")
            connection.execute("DELETE FROM commits WHERE repo=? AND oid=?", (repo.id, commit.oid))
            store.commits._insert(connection, repo.id, commit, "")
            parent = commit.oid
    assert parent is not None
    found = store.commits.last_changes(repo, parent, asked, limit)
    assert {path: commit.oid for path, commit in found.items()} == slow_last_changes(store, repo, parent, asked, limit)


def test_125_differences_come_one_name_at_a_time(store: Store, folders_read: list[str]) -> None:
    many = {f"{number:03}/x": file("x", 1) for number in range(200)}
    before, after = grown(store, {"a": file("a", 1)}, {**many, "a": None})
    folders_read.clear()
    steps = differences(store.trees, before, after)
    for _ in range(10):
        next(steps)
    assert len(folders_read) <= 20
    found = [step for step in differences(store.trees, before, after) if step]
    assert len(found) == 201 and found[-1].kind == "removed"
