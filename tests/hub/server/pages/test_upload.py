"""Files dragged into the browser, which come in parts and go on where the connection was cut."""

import hashlib
import json
import os
import random
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import HfApi

from tests.hub.server.uploads import Ask, asking
from zoo.hub.server.options import Limits, Options
from zoo.hub.server.serving import serve_folder

PART = 8 << 20
SIZE = int(os.environ.get("ZOO_UPLOAD_BYTES", 3 * PART + 12345))
"""Of the file that is dragged; ZOO_UPLOAD_BYTES=200000000 for one as people have them."""


def test_parts_of_a_size_that_the_client_chooses(tmp_path: Path) -> None:
    content = random.Random(0).randbytes(33)
    item = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    limits = Limits(multipart_from=1000, part_size=20)
    with serve_folder(tmp_path / "parts", options=Options(limits=limits)) as hub:
        HfApi(endpoint=hub.url, token=hub.token).create_repo("org/thing")
        ask, bearer = asking(hub.url), f"Bearer {hub.token}"

        def batch(**values: Any) -> tuple[int, Any]:
            body = {"operation": "upload", "transfers": ["basic"], "objects": [item], **values}
            path = "/org/thing.git/info/lfs/objects/batch"
            status, _, answer = ask("POST", path, json.dumps(body).encode(), Authorization=bearer)
            return status, json.loads(answer)

        for wrong in (0, -1, 19, 21, 20.0, "20", True, 10**30):
            assert batch(part_size=wrong)[0] == 422, wrong
        assert batch()[1]["objects"][0]["actions"]["upload"]["header"] == {}
        upload = batch(part_size=20)[1]["objects"][0]["actions"]["upload"]
        assert sorted(upload["header"]) == ["1", "2", "chunk_size"] and upload["header"]["chunk_size"] == "20"
        paths = [urlsplit(upload["header"][number]).path for number in "12"]
        assert ask("PUT", paths[0].replace("1x20", "1x21"), content[:20])[0] == 404
        assert ask("PUT", paths[0].replace("1x20", "3x20"), content[:20])[0] == 404
        assert ask("PUT", paths[1], content[:20])[0] in (413, 422)
        etags = [ask("PUT", path, content[at : at + 20])[1]["etag"] for path, at in zip(paths, (0, 20), strict=True)]
        parts = [{"partNumber": number, "etag": etag} for number, etag in enumerate(etags, 1)]
        done = urlsplit(upload["href"]).path
        assert ask("POST", done, json.dumps({"oid": item["oid"], "parts": parts[:1]}).encode())[0] == 422
        assert ask("POST", done, json.dumps({"oid": item["oid"], "parts": parts}).encode())[0] == 200
        assert "actions" not in batch(part_size=20)[1]["objects"][0]


def test_only_writers_are_asked_for_files(api: HfApi, ask: Ask, served_hub: Any) -> None:
    assert ask("GET", "/org/thing/upload/main", Accept="text/html")[1]["location"].startswith("/login")
    bearer = {"Authorization": f"Bearer {served_hub.token}", "Accept": "text/html"}
    status, headers, body = ask("GET", "/org/thing/upload/main", **bearer)
    assert status == 200 and b"noscript" in body
    assert headers["content-security-policy"].endswith("connect-src 'self'; worker-src 'self'")
    assert "connect-src" not in ask("GET", "/org/thing", **bearer)[1]["content-security-policy"]
    assert ask("GET", "/org/thing/upload/none", **bearer)[0] == 404


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "drag" / "weights.bin"
    path.parent.mkdir()
    draw = random.Random(1)
    with open(path, "wb") as file:
        for start in range(0, SIZE, PART):
            file.write(draw.randbytes(min(PART, SIZE - start)))
    return path


def test_a_cut_connection_costs_one_part(browser: Any, api: HfApi, served_hub: Any, large: Path) -> None:
    (large.parent / "notes").mkdir()
    (large.parent / "notes" / "é.txt").write_text("small")
    browser.log_in(served_hub)
    browser.open(f"{served_hub.url}/org/thing/upload/main")
    browser.drop(".drop", large, large.parent / "notes")
    browser.until("document.querySelectorAll('.uploads li').length == 2")
    browser.value("document.querySelector('#folder').value = '/in/here/'")
    browser.network(offline=False, upload=8 << 20)
    browser.value("document.querySelector('.send').click()")
    browser.until(f"document.querySelector('progress').value >= {large.stat().st_size + PART}")
    browser.network(offline=True)
    browser.until("document.querySelector('.told').textContent.includes('trying again')")
    browser.network(offline=False)
    browser.until("location.pathname.startsWith('/org/thing/commit/')")
    sent = [urlsplit(url).path.split("/")[-2] for url in browser.requests if "/lfs/models/" in url]
    assert sent.count(f"1x{PART}") == 1 and sent.count(f"{-(-SIZE // PART)}x{PART}") == 1
    assert len(sent) <= -(-SIZE // PART) + 7  # the part that was cut, and the word that all is there
    assert api.list_repo_files("org/thing") == ["in/here/notes/é.txt", "in/here/weights.bin"]
    info = api.get_paths_info("org/thing", ["in/here/weights.bin"])[0]
    assert info.lfs.sha256 == hashlib.sha256(large.read_bytes()).hexdigest()  # type: ignore[union-attr]
    hub = urlsplit(served_hub.url)
    assert {(urlsplit(url).hostname, urlsplit(url).port) for url in browser.requests} == {(hub.hostname, hub.port)}


def test_a_page_loaded_again_goes_on(browser: Any, api: HfApi, served_hub: Any, large: Path) -> None:
    browser.log_in(served_hub)
    page = f"{served_hub.url}/org/thing/upload/main"
    browser.open(page)
    browser.drop(".drop", large)
    browser.until("document.querySelectorAll('.uploads li').length == 1")
    browser.network(offline=False, upload=8 << 20)
    browser.value("document.querySelector('.send').click()")
    browser.until(f"document.querySelector('progress').value >= {large.stat().st_size + PART}")
    browser.network(offline=False)
    browser.open(page)
    assert browser.left == 1
    browser.drop(".drop", large)
    browser.until("document.querySelectorAll('.uploads li').length == 1")
    browser.value("document.querySelector('.send').click()")
    browser.until("location.pathname.startsWith('/org/thing/commit/')")
    sent = [urlsplit(url).path.split("/")[-2] for url in browser.requests if "/lfs/models/" in url]
    assert sent.count(f"1x{PART}") == 1
    assert api.list_repo_files("org/thing") == ["weights.bin"]


def test_the_workers_sha256_is_that_of_everybody(browser: Any, api: HfApi, served_hub: Any) -> None:
    browser.log_in(served_hub)
    browser.open(f"{served_hub.url}/org/thing/upload/main")
    sizes = (0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 4 << 20, (4 << 20) + 1)
    script = f"""Promise.all({list(sizes)}.map((size) => new Promise((done) => {{
        const worker = new Worker(document.querySelector("form.upload").dataset.hashing);
        worker.onmessage = ({{ data }}) => data.sha256 && done(data.sha256);
        worker.postMessage(new Blob([new Uint8Array(size).map((_, place) => place % 251)]));
    }})))"""
    answer = browser.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
    contents = ((bytes(range(251)) * (size // 251 + 1))[:size] for size in sizes)
    assert answer["result"]["value"] == [hashlib.sha256(content).hexdigest() for content in contents]


def test_what_the_hub_refuses_is_said(browser: Any, api: HfApi, served_hub: Any, tmp_path: Path) -> None:
    (tmp_path / "con.txt").write_text("no name for a file")
    browser.log_in(served_hub)
    browser.open(f"{served_hub.url}/org/thing/upload/main")
    browser.drop(".drop", tmp_path / "con.txt")
    browser.until("document.querySelectorAll('.uploads li').length == 1")
    browser.value("document.querySelector('.send').click()")
    browser.until("document.querySelector('.told').textContent.includes('Invalid path in repo')")
    assert browser.value("document.querySelector('.resume').hidden")
    assert api.list_repo_files("org/thing") == []
