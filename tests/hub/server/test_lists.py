"""Lists cost what they show: counted are the names looked up and the folders read, not the seconds."""

import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from zoo.hub.server import routes_trees
from zoo.hub.server.trees import Trees

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


HTML = {"Accept": "text/html"}


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


JSON = {"Content-Type": "application/json"}


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of the paths that are looked up in trees."""
    paths: list[str] = []
    find = Trees.find
    monkeypatch.setattr(
        Trees, "find", lambda self, root, path, *rest: paths.append(path) or find(self, root, path, *rest)
    )
    return paths


def paths_info(ask: Ask, paths: list[str], form: bool = True, **options: Any) -> tuple[int, Any]:
    if form:
        body = urlencode([*(("paths", path) for path in paths), *options.items()])
    else:
        body = json.dumps({"paths": paths, **options})
    status, headers, answer = ask("POST", "/api/models/org/thing/paths-info/main", body, **(FORM if form else JSON))
    return status, json.loads(answer) if status == 200 else headers["x-error-message"]


@pytest.mark.parametrize("form", [True, False], ids=["form", "json"])
def test_125_a_list_of_paths_is_bounded(api: HfApi, ask: Ask, looked_up: list[str], form: bool) -> None:
    api.create_commit("org/thing", [CommitOperationAdd("a/b.txt", b"1")], commit_message="put")
    looked_up.clear()
    status, message = paths_info(ask, ["x"] * 10_001, form)
    assert status == 413 and message == "More than 10,000 paths; ask for them in parts"
    assert paths_info(ask, [f"{number}" for number in range(101)], form, expand=True)[0] == 413
    assert paths_info(ask, [f"{number}" + "/a" * 500 for number in range(1000)], form)[0] == 413
    assert not looked_up
    status, found = paths_info(ask, [f"n{number}" for number in range(9_999)] + ["a/b.txt"], form)
    assert status == 200 and [info["path"] for info in found] == ["a/b.txt"] and len(looked_up) == 10_000


@pytest.mark.parametrize("form", [True, False], ids=["form", "json"])
def test_125_spellings_of_one_path_are_one_path(api: HfApi, ask: Ask, looked_up: list[str], form: bool) -> None:
    api.create_commit("org/thing", [CommitOperationAdd("a", b"1"), CommitOperationAdd("b/c", b"1")], commit_message="1")
    looked_up.clear()
    spellings = ["/" * before + "a" + "/" * after for before in range(50) for after in range(50)]
    status, found = paths_info(ask, [*spellings, "b", "b", "b/c/"], form)
    assert status == 200 and [info["path"] for info in found] == ["a", "b", "b/c"]
    assert looked_up == ["a", "b", "b/c"]


def test_expanded_paths_name_their_last_commit(api: HfApi, ask: Ask) -> None:
    first = api.create_commit("org/thing", [CommitOperationAdd("a/b", b"1")], commit_message="one").oid
    second = api.create_commit("org/thing", [CommitOperationAdd("a/c", b"1")], commit_message="two").oid
    status, found = paths_info(ask, ["a", "a/b", "a/c", "none"], expand=True)
    assert status == 200
    assert {info["path"]: info["lastCommit"]["id"] for info in found} == {"a": second, "a/b": first, "a/c": second}


def test_125_pages_of_a_deep_list_read_what_they_show(
    api: HfApi, ask: Ask, folders_read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    operations = [CommitOperationAdd(f"{a:02}/{b:02}/x.txt", b"1") for a in range(20) for b in range(20)]
    api.create_commit("org/thing", operations, commit_message="many folders")
    listed: list[str] = []
    url = "/api/models/org/thing/tree/main?recursive=true&limit=30"
    while url:
        folders_read.clear()
        _, headers, body = ask("GET", url)
        page = json.loads(body)
        listed += [info["path"] for info in page]
        assert len(folders_read) <= len(page) + 4
        url = headers.get("link", "").partition("<")[2].partition(">")[0].partition("//")[2].partition("/")[2]
        url = url and f"/{url}"
    assert listed == sorted(listed) and len(set(listed)) == len(listed) == 20 + 400 + 400
    monkeypatch.undo()
    assert len(list(api.list_repo_tree("org/thing", recursive=True))) == 820


def test_a_list_goes_on_where_it_was_although_the_branch_has_moved(api: HfApi, ask: Ask) -> None:
    names = [f"{number:02}" for number in range(10)]
    api.create_commit("org/thing", [CommitOperationAdd(name, b"1") for name in names], commit_message="ten")
    _, headers, body = ask("GET", "/api/models/org/thing/tree/main?limit=5")
    api.delete_file("00", "org/thing")
    api.delete_file("04", "org/thing")
    _, _, rest = ask("GET", f"/api/models/org/thing/tree/main?limit=5&cursor={json.loads(body)[-1]['path']}")
    assert [info["path"] for info in json.loads(rest)] == names[5:]
    assert 'rel="next"' in headers["link"] and "cursor=04" in headers["link"]


@pytest.mark.parametrize("cursor", ["zz", "-1", "%00", "a/b/c/", "/" * 100, "%F0%9F%92%A9"])
def test_104_any_cursor_is_a_place_in_the_list(api: HfApi, ask: Ask, cursor: str) -> None:
    assert ask("GET", f"/api/models/org/thing/tree/main?recursive=1&cursor={cursor}")[0] == 200
    assert ask("GET", f"/api/models/org/thing/tree/main?cursor={cursor * 2049}")[0] == 400


def test_125_last_changes_look_at_a_folder_once_a_commit(
    api: HfApi, ask: Ask, looked_up: list[str], served_hub: Any
) -> None:
    operations = [CommitOperationAdd(f"a/b/c/{number:02}", b"1") for number in range(60)]
    api.create_commit("org/thing", operations, commit_message="files")
    for number in range(10):
        api.create_commit("org/thing", [CommitOperationAdd("x", str(number).encode())], commit_message="other")
    looked_up.clear()
    status, _, body = ask("GET", "/api/models/org/thing/tree/main/a/b/c?expand=true")
    assert status == 200 and {info["lastCommit"]["title"] for info in json.loads(body)} == {"files"}
    assert len(looked_up) <= 20  # not 50 a commit


def test_125_commits_far_back_are_not_walked_to(api: HfApi, ask: Ask) -> None:
    for path in ("/api/models/org/thing/commits/main", "/org/thing/commits/main"):
        assert ask("GET", f"{path}?p=999999999")[0] == 400
        assert ask("GET", f"{path}?p=1000")[0] == 200
    status, _, body = ask("GET", "/api/models/org/thing/commits/main?limit=1000000")
    assert status == 200 and len(json.loads(body)) == 1


def test_125_a_repo_has_so_many_refs(api: HfApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_trees, "_MAX_REFS", 4)
    headers = {"Authorization": f"Bearer {api.token}"}
    body = json.dumps({"tag": "more"})
    for number in range(3):
        api.create_tag("org/thing", tag=f"v{number}")
    assert ask("POST", "/api/models/org/thing/tag/main", body, **headers)[0] == 400
    assert ask("POST", "/api/models/org/thing/branch/more", "{}", **headers)[0] == 400
    api.delete_tag("org/thing", tag="v0")
    assert ask("POST", "/api/models/org/thing/tag/main", body, **headers)[0] == 200


def test_125_pages_of_folders_and_histories_are_bounded(
    api: HfApi, ask: Ask, served_hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoo.hub.server.pages import files, history, repo

    monkeypatch.setattr(files, "_MAX_ENTRIES", 5)
    monkeypatch.setattr(history, "_COMPARED", 8)
    monkeypatch.setattr(repo, "_TAGS", 2)
    operations = [CommitOperationAdd(f"{number:02}", b"1") for number in range(12)]
    operations += [CommitOperationAdd(f"z{number}/x", b"1") for number in range(3)]
    long = {"commit_message": "t" * 5000, "commit_description": "m" * 90_000}
    head = api.create_commit("org/thing", operations, **long).oid
    for number in range(5):
        api.create_tag("org/thing", tag=f"v{number}")
    text = ask("GET", "/org/thing/tree/main", **HTML)[2].decode()
    assert ">z2/<" in text and ">01<" in text and ">02<" not in text and "10 more are not shown" in text
    text = ask("GET", "/org/thing/commits/main", **HTML)[2].decode()
    assert "8 added" in text and "and more, not counted" in text and len(text) < 10_000
    text = ask("GET", f"/org/thing/commit/{head}", **HTML)[2].decode()
    assert text.count(">added<") == 8 and "too large to compare them to the end" in text and len(text) < 50_000
    assert "3 more are not shown" in ask("GET", "/org/thing", **HTML)[2].decode()


def test_125_scores_are_read_up_to_a_size(api: HfApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.hub.server import results

    parsed: list[int] = []
    parse = results.parse
    monkeypatch.setattr(results, "parse", lambda text: parsed.append(len(text)) or parse(text))
    result = "- dataset: {id: org/data}\n  value: 0.5\n" + "#" * 10_000
    operations = [CommitOperationAdd(f".eval_results/{number}.yaml", result.encode()) for number in range(60)]
    api.create_commit("org/thing", operations, commit_message="scores")
    for _ in range(3):
        assert b"org/data" in ask("GET", "/org/thing", **HTML)[2]
    assert sum(parsed) <= results._MAX_RESULTS


def test_pages_are_made_where_they_hold_up_nothing(api: HfApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[str] = set()
    monkeypatch.setattr(Trees, "walk", lambda *_: threads.add(threading.current_thread().name) or iter(()))
    ask("GET", "/org/thing", **HTML)
    ask("GET", "/api/models/org/thing")
    assert threads and all(name.startswith("zoo-read") for name in threads)
