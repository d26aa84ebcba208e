"""Lists stay right whichever way they are found, and never look at everything."""

import base64
import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.hub.server.http import HttpError
from zoo.hub.server.repos import Repo
from zoo.hub.server.search import Query, find_repos
from zoo.hub.server.store import Store
from zoo.hub.server.summary import Summary

TASKS = ("fill-mask", "translation")
WORDS = ("bert", "gpt", "resnet", "a_b", "50%")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store of repos made at random, some of them private."""
    store = Store(tmp_path_factory.mktemp("search") / "hub")
    draw = random.Random(0)
    for number in range(150):
        name = f"team-{draw.randrange(4)}/{draw.choice(WORDS).replace('%', 'x')}-{number}"
        store.commits.create_repo("models", name, draw.random() < 0.2, "zoo")
        repo = store.repos.find("models", name)
        assert repo is not None
        with store.database.transaction() as connection:
            score = draw.choice((None, draw.randrange(100) / 10))
            summary = Summary(tags=[draw.choice(TASKS), f"rare-{number}"], size=number % 7 * 1000, score=score)
            store.repos.summarised(connection, repo, repo.head, f"2026-01-{draw.randrange(10, 28)}T00:00:00Z", summary)
    return store


def wanted(repo: Repo, query: Query) -> bool:
    return (
        query.search.lower() in repo.name.lower()
        and query.author.lower() in ("", repo.namespace.lower())
        and set(query.tags) <= set(repo.summary.tags)
        and (query.namespaces is None or not repo.private or repo.namespace in query.namespaces)
    )


@settings(max_examples=150, deadline=None)
@given(
    search=st.sampled_from(["", "bert", "BERT", "-1", "a_b", "team-1/", "%", "none", '"', "er"]),
    author=st.sampled_from(["", "team-1", "Team-2", "none"]),
    tags=st.lists(st.sampled_from([*TASKS, "rare-7", "none"]), max_size=2),
    namespaces=st.sampled_from([None, (), ("team-1",)]),
    sort=st.sampled_from(["modified", "created", "downloads"]),
    limit=st.integers(1, 60),
    rare=st.sampled_from([1, 20, 1000]),
    walked=st.sampled_from([1, 30, 20_000]),
)
def test_every_page_together_is_the_whole_in_order(
    store: Store,
    search: str,
    author: str,
    tags: list[str],
    namespaces: tuple[str, ...] | None,
    sort: str,
    limit: int,
    rare: int,
    walked: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.hub.server.search._RARE", rare)
        patch.setattr("zoo.hub.server.search._WALKED", walked)
        found: list[Repo] = []
        cursor = None
        query = Query("models", namespaces, search, author, tags, None, sort, limit)
        while True:
            page, cursor = find_repos(
                store.database, Query("models", namespaces, search, author, tags, None, sort, limit, cursor)
            )
            found += page
            if cursor is None:
                break
    everything, _ = find_repos(store.database, Query("models", None, limit=1000))
    right = [repo for repo in everything if wanted(repo, query)]
    assert [repo.id for repo in found] == [
        repo.id for repo in sorted(right, key=lambda repo: (getattr(repo, sort), repo.id), reverse=True)
    ]


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("size", lambda repo: repo.summary.size),
        ("smallest", lambda repo: -repo.summary.size),
        ("score", lambda repo: repo.summary.score),
        ("lowest_score", lambda repo: repo.summary.score and -repo.summary.score),
    ],
)
@pytest.mark.parametrize("limit", [20, 1000])
@pytest.mark.parametrize("tags", [[], ["fill-mask"], ["rare-7"]])
def test_orders_by_what_repos_say_of_themselves(
    store: Store, sort: str, key: Callable[[Repo], float | None], limit: int, tags: list[str]
) -> None:
    found, cursor = find_repos(store.database, Query("models", None, tags=tags, sort=sort, limit=limit))
    while cursor:
        page, cursor = find_repos(
            store.database, Query("models", None, tags=tags, sort=sort, limit=limit, cursor=cursor)
        )
        found += page
    everything, _ = find_repos(store.database, Query("models", None, limit=1000))
    right = [repo for repo in everything if set(tags) <= set(repo.summary.tags) and key(repo) is not None]
    assert [repo.id for repo in found] == [
        repo.id for repo in sorted(right, key=lambda repo: (key(repo), repo.id), reverse=True)
    ]


def test_those_small_and_good_enough_of_one_of_several_tasks(store: Store) -> None:
    everything, _ = find_repos(store.database, Query("models", None, limit=1000))
    query = Query("models", None, any_tags=["rare-3", *TASKS], max_size=3000, min_score=2.5, limit=1000)
    found, _ = find_repos(store.database, query)
    right = [repo for repo in everything if repo.summary.size <= 3000 and (repo.summary.score or 0) >= 2.5]
    assert [repo.id for repo in found] == [repo.id for repo in right] != []
    found, _ = find_repos(store.database, Query("models", None, any_tags=["rare-3", "rare-5"]))
    assert {tag for repo in found for tag in repo.summary.tags} - set(TASKS) == {"rare-3", "rare-5"}


def test_an_order_without_an_index_sorts_so_many_repos(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.hub.server.search._WALKED", 40)
    found, cursor = find_repos(store.database, Query("models", None, sort="size", limit=1000))
    assert len(found) == 41 and cursor is None


def test_no_list_looks_at_everything(store: Store) -> None:
    plans: list[str] = []
    rows = store.database.rows

    def explained(query: str, *values: object) -> list[tuple[object, ...]]:
        if "FROM repos" in query:
            plans.extend(str(row[3]) for row in rows(f"EXPLAIN QUERY PLAN {query}", *values))
        return rows(query, *values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.database, "rows", explained)
        for sort in ("modified", "created", "downloads"):
            find_repos(store.database, Query("models", sort=sort, limit=5))
            find_repos(store.database, Query("models", sort=sort, search="bert-1", limit=5))
            find_repos(store.database, Query("models", sort=sort, tags=["rare-7"], limit=5))
        find_repos(store.database, Query("models", author="team-1", limit=5))
    assert not [plan for plan in plans if plan.startswith("SCAN repos")]
    assert len([plan for plan in plans if "TEMP B-TREE" in plan]) <= 6  # only what is rare is sorted
    assert len([plan for plan in plans if plan.startswith("SEARCH repos USING INTEGER PRIMARY KEY")]) == 6


def test_125_a_search_that_finds_nothing_looks_at_so_many_repos_a_page(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.hub.server.search._WALKED", 40)
    found, cursor = find_repos(store.database, Query("models", None, search="zz"))
    assert not found and cursor is not None
    query, values = "SELECT COUNT(*) FROM repos WHERE (modified, id) >= (?, ?)", json.loads(base64.b64decode(cursor))
    assert store.database.row(query, *values) == (41,)


@pytest.mark.parametrize(
    "value",
    ["x", "é", "=", "[1]", "[[[[", [True, 1.5], [None, 1], [1 << 70, 1], [1, 1 << 70], ["\ud800", 1], {}, [1, 2, 3]],
)
def test_104_cursors_of_others(store: Store, value: object) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    for cursor in (text, base64.urlsafe_b64encode(text.encode()).decode()):
        with pytest.raises(HttpError) as caught:
            find_repos(store.database, Query("models", cursor=cursor))
        assert caught.value.status == 400 and "\n" not in str(caught.value)
