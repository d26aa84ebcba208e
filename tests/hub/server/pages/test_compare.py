"""Two commits, branches or repos side by side, of what strangers wrote, for whoever may see both."""

import json
import struct
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from tests.hub.server.pages.test_pages import HTML, read
from tests.hub.server.uploads import Ask, count_calls

CARD = (
    "---\nmodel-index:\n- results:\n  - metrics: [{{name: accuracy, value: {score}}}]\n---\n# Thing\n\nline\n{line}\n"
)


def safetensors(**tensors: tuple[str, list[int], bytes]) -> bytes:
    header, at = {}, 0
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(content)]}
        at += len(content)
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + b"".join(content for *_, content in tensors.values())


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def files(weights: bytes, epochs: int, score: float, line: str) -> list[CommitOperationAdd]:
    config = {"zoo": {"recipe": {"name": "x", "settings": {"epochs": epochs, "rate": 0.1}}}, "same": [1]}
    contents = {
        "model.safetensors": weights,
        "config.json": json.dumps(config).encode(),
        "README.md": CARD.format(score=score, line=line).encode(),
    }
    return [CommitOperationAdd(path, content) for path, content in contents.items()]


BEFORE = safetensors(
    **{"<b>": ("F32", [2], floats(1, 2))},
    kept=("F32", [2], floats(1, 2)),
    wide=("F32", [2, 1], floats(1, 2)),
    type=("F32", [1], floats(1)),
)
AFTER = safetensors(
    kept=("F32", [2], floats(1, 3)),
    wide=("F32", [1, 2], floats(1, 2)),
    type=("F16", [1], b"\0\0"),
    new=("F32", [], floats(1)),
)


@pytest.fixture
def two(api: HfApi) -> HfApi:
    """Return a Hub with two commits, the first tagged v1, and a copy of the second in another repo."""
    api.create_commit("org/thing", files(BEFORE, 10, 0.5, "old <i>"), commit_message="1")
    api.create_tag("org/thing", tag="v1")
    api.create_repo("org/copy")
    for repo in ("org/thing", "org/copy"):
        operations = [*files(AFTER, 20, 0.75, "new <i>"), CommitOperationAdd("notes/a.txt", b"x")]
        api.create_commit(repo, operations, commit_message="2")
    return api


def compare(ask: Ask, before: str, after: str, status: int = 200, **headers: str) -> str:
    return read(ask, "/compare?" + urlencode({"before": before, "after": after}), status, **headers)


def test_what_changed_is_told_without_reading_a_tensor(two: HfApi, ask: Ask) -> None:
    text = compare(ask, "org/thing@v1", "org/thing")
    for kind in ("added", "removed", "reshaped", "retyped"):
        assert f'<span class="{kind}">1 {kind}</span>' in text
    assert "of 5 in files that differ" in text
    for said in ("&lt;b&gt;", "2 × 1 F32", "1 × 2 F32", "1 F16", "scalar F32", "zoo.recipe.settings.epochs", ">20<"):
        assert said in text, said
    assert "zoo.recipe.settings.rate" not in text and "same" not in text.split("settings")[1][:500]
    assert "accuracy" in text and ">0.5<" in text and ">0.75<" in text
    assert '<span class="removed">-old &lt;i&gt;</span>' in text and '<span class="added">+new &lt;i&gt;</span>' in text
    assert "notes/a.txt" in text and "<i>" not in text and "<b>" not in text
    commits = two.list_repo_commits("org/thing")
    link = f"/compare?before=org%2Fthing%40{commits[1].commit_id}&amp;after=org%2Fthing%40{commits[0].commit_id}"
    assert link in read(ask, f"/org/thing/commit/{commits[0].commit_id}")


def test_repos_branches_and_commits_are_places(two: HfApi, ask: Ask) -> None:
    two.create_branch("org/thing", branch="a/b", revision="v1")
    assert "All files are the same" in compare(ask, "org/thing", "org/copy@main")
    assert "All files are the same" in compare(ask, "org/thing@v1", "org/thing@a/b")
    head = two.model_info("org/thing").sha
    assert "All files are the same" in compare(ask, f"org/thing@{head}", "org/copy")
    two.create_repo("org/data", repo_type="dataset")
    assert "notes/a.txt" in compare(ask, "datasets/org/data", "org/copy")
    assert "name@revision" in read(ask, "/compare") and "name@revision" in read(ask, "/compare?before=org/thing")


@pytest.mark.parametrize(
    ("place", "status"),
    [("org/none", 404), ("org/thing@none", 404), ("org", 400), ("a/b/c", 400), ("../x", 400), ("<b>", 400)],
)
def test_what_is_no_place_is_said(two: HfApi, ask: Ask, place: str, status: int) -> None:
    for sides in ((place, "org/thing"), ("org/thing", place)):
        text = compare(ask, *sides, status)
        assert 'role="alert"' in text and "<b>" not in text


def test_both_places_must_be_the_visitors_to_see(
    two: HfApi, ask: Ask, person: Callable[..., HfApi], served_hub: Any
) -> None:
    two.update_repo_settings("org/copy", private=True)
    bob, owner = (f"Bearer {token}" for token in (person("bob").token, served_hub.token))
    compare(ask, "org/thing", "org/copy", 404)
    compare(ask, "org/copy", "org/thing", 404, Authorization=bob)
    compare(ask, "org/copy", "org/thing", 200, Authorization=owner)
    two.update_repo_settings("org/copy", private=False, gated="manual")
    compare(ask, "org/copy", "org/thing", 401)
    compare(ask, "org/copy", "org/thing", 403, Authorization=bob)


@pytest.mark.parametrize(
    "broken", [b"", b"\xff" * 64, struct.pack("<Q", 2) + b"[]", struct.pack("<Q", 8) + b'{"a":{}}']
)
def test_a_broken_header_is_said(two: HfApi, ask: Ask, broken: bytes) -> None:
    two.create_commit("org/copy", [CommitOperationAdd("model.safetensors", broken)], commit_message="3")
    assert "A header of org/copy is broken" in compare(ask, "org/thing", "org/copy")


def test_lists_and_headers_are_bounded(two: HfApi, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    many = {f"layer.{number}": ("F32", [1], floats(1)) for number in range(1000)}
    contents = {"more.safetensors": safetensors(**many), "config.json": json.dumps(dict.fromkeys(many, 1)).encode()}
    operations = [CommitOperationAdd(path, content) for path, content in contents.items()]
    two.create_commit("org/copy", operations, commit_message="3")
    text = compare(ask, "org/thing", "org/copy")
    assert "1,000 added" in text and text.count("layer.") == 596  # and four keys that are gone
    assert "700 more are not shown" in text and "704 more are not shown" in text
    monkeypatch.setattr("zoo.hub.server.pages.compare._MAX_TENSORS", 10_000)
    assert "larger than this page reads" in compare(ask, "org/thing", "org/copy")


def test_cards_that_take_too_long_to_compare_are_not(
    two: HfApi, ask: Ask, served_hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = count_calls(monkeypatch, "zoo.hub.server.pages.renderer.Renderer._start")
    for number in (0, 1):
        lines = "\n".join(str((place * place + number) % 89) for place in range(60_000))
        name = ("org/thing", "org/copy")[number]
        two.create_commit(name, [CommitOperationAdd("README.md", lines.encode())], commit_message="long")
    assert "cards are not compared" in compare(ask, "org/thing", "org/copy")
    assert ask("GET", "/healthz", **HTML)[0] == 200 and len(started) == 1
    two.create_commit("org/copy", [CommitOperationDelete("README.md")], commit_message="none")
