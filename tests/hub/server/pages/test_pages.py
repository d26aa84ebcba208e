"""The pages, as a program reads them: every kind once, and what strangers put into them."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from PIL import Image

from zoo.hub.server.pages.card import render_card

Ask = Callable[..., tuple[int, dict[str, str], bytes]]
HTML = {"Accept": "text/html"}
CARD = """---
license: mit
pipeline_tag: image-classification
library_name: zoo
tags: [one]
model-index:
- results:
  - dataset: {name: CIFAR-10}
    metrics: [{name: accuracy, value: 91.73}]
---
# Thing

![curves](pictures/curves.png) [config](config.json) [paper](https://example.org/paper)

<script>alert(1)</script><img src="https://evil.example/x.png" onerror="alert(2)"><a href="javascript:alert(3)">x</a>
"""
RESULTS = "- dataset: {id: org/data, task_id: image-classification}\n  value: 0.5\n"


def picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (40, 20), (200, 60, 60)).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def filled(api: HfApi) -> HfApi:
    files = {
        "README.md": CARD.encode(),
        "config.json": b'{"zoo": {}, "architecture": "resnet18"}',
        "pictures/curves.png": picture(),
        "pictures/samples.png": picture(),
        ".eval_results/thing.yaml": RESULTS.encode(),
        "data.bin": b"\0\1",
        "a & <b>.txt": b"<script>alert(4)</script>",
    }
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit("org/thing", operations, commit_message="first <b>bold</b>")
    operations = [CommitOperationDelete("data.bin"), CommitOperationAdd("config.json", b'{"zoo": {}}')]
    api.create_commit("org/thing", operations, commit_message="second")
    api.create_tag("org/thing", tag="v1")
    return api


def read(ask: Ask, path: str, status: int = 200, **headers: str) -> str:
    found, given, body = ask("GET", path, **{**HTML, **headers})
    assert found == status, body
    assert given["content-type"].startswith("text/html")
    policy = given["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy
    return body.decode()


def test_first_page(filled: HfApi, ask: Ask) -> None:
    text = read(ask, "/")
    for said in ("org/", "thing", "image-classification", "0 downloads", "/picture/"):
        assert said in text
    assert "thing" in read(ask, "/?search=thin&filter=image-classification&sort=downloads")
    assert "Nothing here answers" in read(ask, "/?search=nothing")
    assert "thing" in read(ask, "/org")
    assert "Nothing is here yet" in read(ask, "/datasets")


def test_a_list_is_filtered_and_sorted_without_script(filled: HfApi, ask: Ask) -> None:
    found = read(ask, "/?modality=image&filter=image-classification&license=mit&max_size=1&min_score=0.4&sort=score")
    assert 'href="/org/thing"' in found and "score 0.5" in found
    for chosen in ("image", "image-classification", "mit", "score"):
        assert f'value="{chosen}" selected' in found
    for asked in ("modality=audio", "license=other", "max_size=0", "min_score=0.6", "filter=other"):
        assert 'href="/org/thing"' not in read(ask, f"/?{asked}")
    assert 'href="/org/thing"' in read(ask, "/?modality=&filter=&license=&max_size=&min_score=&sort=smallest")
    for wrong in ("min_score=x", "min_score=1e3", "max_size=-1", "sort=none"):
        read(ask, f"/?{wrong}", 400)


def test_model_page(filled: HfApi, ask: Ask, served_hub: Any) -> None:
    text = read(ask, "/org/thing")
    head = filled.model_info("org/thing").sha
    for said in (
        f'src="/org/thing/picture/{head}/pictures/curves.png"',
        f'src="/org/thing/picture/{head}/pictures/samples.png"',
        'href="https://example.org/paper" rel="nofollow noopener noreferrer"',
        f"hub=&#34;{served_hub.url}&#34;",
        "hf download org/thing",
        "91.73",
        "org/data",
        "v1",
    ):
        assert said in text, said
    for never in ("alert(", "evil.example", "onerror", "<script>", "javascript:"):
        assert never not in text, never


def test_files_and_history(filled: HfApi, ask: Ask) -> None:
    text = read(ask, "/org/thing/tree/main")
    assert "a &amp; &lt;b&gt;.txt" in text and "pictures/" in text and "second" in text
    text = read(ask, "/org/thing/blob/main/a%20%26%20%3Cb%3E.txt")
    assert "&lt;script&gt;alert(4)" in text and "<script>alert" not in text
    first = filled.list_repo_commits("org/thing")[1].commit_id
    assert "not shown as text" in read(ask, f"/org/thing/blob/{first}/data.bin")
    text = read(ask, "/org/thing/commits/main")
    assert "first &lt;b&gt;bold" in text and "6 added" not in text and "7 added" in text and "1 removed" in text
    head = filled.model_info("org/thing").sha
    text = read(ask, f"/org/thing/commit/{head}")
    assert ">changed<" in text and ">removed<" in text and "data.bin" in text
    read(ask, "/org/thing/tree/v1/pictures")


@pytest.mark.parametrize(
    "path", ["/org/none", "/org/thing/tree/none", "/org/thing/blob/main/none", "/org/thing/commit/main", "/a/b/c/d"]
)
def test_what_is_not_there(filled: HfApi, ask: Ask, path: str) -> None:
    assert "404" in read(ask, path, 404)
    assert ask("GET", path)[1]["content-type"] == "application/json"


def test_pictures_are_pictures(filled: HfApi, ask: Ask) -> None:
    status, headers, body = ask("GET", "/org/thing/picture/main/pictures/curves.png")
    assert (status, headers["content-type"], body) == (200, "image/png", picture())
    filled.create_commit(
        "org/thing", [CommitOperationAdd("x.png", b"<html><script>alert(1)</script>")], commit_message="no picture"
    )
    assert ask("GET", "/org/thing/picture/main/x.png")[0] == 415
    headers = ask("GET", "/org/thing/resolve/main/x.png")[1]
    assert headers["content-type"] == "application/octet-stream"
    assert (headers["x-content-type-options"], headers["content-disposition"]) == ("nosniff", "attachment")


def test_a_closed_hub_asks_browsers_for_a_token(api: HfApi, ask: Ask) -> None:
    assert ask("GET", "/login", **HTML)[1]["www-authenticate"].startswith("Basic ")


def test_gated_repos_show_no_pictures(filled: HfApi, ask: Ask) -> None:
    filled.update_repo_settings("org/thing", gated="manual")
    text = read(ask, "/org/thing")
    assert "restricted" in text
    assert ask("GET", "/org/thing/picture/main/pictures/curves.png")[0] == 401
    assert "<img" not in read(ask, "/")


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<iframe src='javascript:alert(1)'></iframe>",
        "<style>body{background:url(https://evil.example)}</style>",
        "<form action=https://evil.example><input></form>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "[x](javascript:alert(1))",
        "![x](//evil.example/x.png)",
        "![x](../../../../etc/passwd)",
        "<meta http-equiv=refresh content='0;url=https://evil.example'>",
        "<base href=https://evil.example>",
        "<p style='background:url(https://evil.example)' onclick=alert(1)>x</p>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    ],
)
def test_hostile_cards(hostile: str) -> None:
    html = render_card(hostile, "/org/thing", "main")
    for never in ("<script", "<svg", "<iframe", "<style", "<form", "<meta", "<base", " on", "style=", "etc/passwd"):
        assert never not in html.replace("&lt;", ""), html
    assert 'src="//' not in html and "javascript:alert" not in html.replace("[x](javascript:alert(1))", "")


def test_a_file_that_becomes_a_folder(api: HfApi, ask: Ask) -> None:
    api.create_commit(
        "org/thing", [CommitOperationAdd("a", b"file"), CommitOperationAdd("b/c", b"1")], commit_message="1"
    )
    operations = [CommitOperationDelete("a"), CommitOperationAdd("a/x", b"in it"), CommitOperationAdd("b/d", b"2")]
    head = api.create_commit("org/thing", operations, commit_message="2").oid
    text = read(ask, f"/org/thing/commit/{head}")
    shown = [text.count(f'class="{kind}">{kind}<') for kind in ("added", "changed", "removed")]
    assert shown == [2, 0, 1]
    assert ">b/c<" not in text
