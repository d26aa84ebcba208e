"""What the store promises: checked, collected, copied, and never half."""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from zoo.cli import run
from zoo.hub.server.collect import collect
from zoo.hub.server.fsck import check_store
from zoo.hub.server.serving import serve_folder
from zoo.hub.server.store import Store

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


def put(api: HfApi, path: str, content: bytes, **options: Any) -> str:
    operations = [CommitOperationAdd(path, content)]
    return str(api.create_commit("org/thing", operations, commit_message=f"put {path}", **options).oid)


def blob_of(folder: Path, content: bytes) -> Path:
    oid = hashlib.sha256(content).hexdigest()
    return folder / "blobs" / oid[:2] / oid[2:4] / oid


def test_blobs_are_read_only(api: HfApi, served_hub: Any) -> None:
    put(api, "a.bin", b"content")
    assert blob_of(served_hub.folder, b"content").stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize("name", ["a.bin", "a.txt"], ids=["by LFS", "in the commit"])
def test_fsck_finds_a_flipped_byte_and_the_same_push_heals_it(
    api: HfApi, served_hub: Any, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    put(api, name, b"content")
    put(api, "b.txt", b"fine")
    assert run(["hub", "fsck", str(served_hub.folder)]) == 0
    assert "all is well" in capsys.readouterr().out
    blob = blob_of(served_hub.folder, b"content")
    blob.chmod(0o644)
    blob.write_bytes(b"cOntent")
    assert run(["hub", "fsck", str(served_hub.folder), "--quarantine"]) == 5
    shown = capsys.readouterr()
    assert f"models/org/thing {name} needs" in shown.out and "1 fault;" in shown.err
    assert (served_hub.folder / "quarantine" / blob.name).read_bytes() == b"cOntent"
    put(api, name, b"content")
    assert blob.read_bytes() == b"content"
    assert len(api.list_repo_commits("org/thing")) == 3
    assert run(["hub", "fsck", str(served_hub.folder)]) == 0


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM trees", "missing or broken"),
        ("UPDATE commits SET title='forged' WHERE parent IS NOT NULL", "does not give its id"),
        ("UPDATE refs SET oid='0'", "points to nothing"),
        ("DELETE FROM commits WHERE parent IS NULL", "parent"),
        ("UPDATE repos SET head='0'", "lists show another commit"),
    ],
)
def test_fsck_finds_what_is_wrong_in_the_database(api: HfApi, served_hub: Any, damage: str, said: str) -> None:
    put(api, "a.bin", b"content")
    store = Store(served_hub.folder)
    with store.database.transaction() as connection:
        connection.execute(damage)
    assert any(said in problem for problem in check_store(store).problems)
    store.close()


def test_gc_takes_only_what_is_old_and_unnamed(api: HfApi, served_hub: Any) -> None:
    put(api, "a.bin", b"kept")
    put(api, "b.bin", b"of a repo that goes")
    api.create_repo("org/other")
    store = Store(served_hub.folder)
    api.upload_file(path_or_fileobj=b"other", path_in_repo="a.bin", repo_id="org/other")
    api.delete_repo("org/other")
    assert collect(store).blobs == 0
    assert blob_of(served_hub.folder, b"other").exists()
    assert collect(store, older_than=-1).blobs == 1
    assert not blob_of(served_hub.folder, b"other").exists()
    assert blob_of(served_hub.folder, b"kept").exists()
    assert check_store(store).clean
    store.close()


def test_gc_that_is_killed_gives_everything_back(api: HfApi, served_hub: Any) -> None:
    api.create_repo("org/other")
    api.upload_file(path_or_fileobj=b"other", path_in_repo="a.bin", repo_id="org/other")
    api.delete_repo("org/other")
    store = Store(served_hub.folder)
    blob = blob_of(served_hub.folder, b"other")
    os.replace(blob, served_hub.folder / "trash" / blob.name)  # what a kill before the commit leaves
    report = check_store(store)
    assert report.clean and blob.exists()
    store.close()


def test_a_commit_that_is_sent_again_is_the_same(api: HfApi, ask: Ask, served_hub: Any) -> None:
    first = put(api, "a.txt", b"text")
    lines = [
        {"key": "header", "value": {"summary": "delete", "parentCommit": first}},
        {"key": "deletedFile", "value": {"path": "a.txt"}},
    ]
    body = "\n".join(map(json.dumps, lines)).encode()
    send = ("POST", "/api/models/org/thing/commit/main", body)
    bearer = f"Bearer {api.token}"
    answers = [json.loads(ask(*send, Authorization=bearer)[2])["commitOid"]]
    put(api, "b.txt", b"meanwhile")
    answers.append(json.loads(ask(*send, Authorization=bearer)[2])["commitOid"])
    assert answers[0] == answers[1]
    assert len(api.list_repo_commits("org/thing")) == 4
    other = body.replace(b'"delete"', b'"delete it"')
    assert ask(*send[:2], other, Authorization=bearer)[0] == 404  # another request, and the file is gone


def test_106_sixteen_clients_at_once(api: HfApi, served_hub: Any) -> None:
    """Every commit lands once, or is refused with a 412 that the client repeats on the new head."""
    refused = []

    def push(number: int) -> None:
        mine = HfApi(endpoint=served_hub.url, token=served_hub.token)
        put(mine, f"free-{number}.txt", b"%d" % number)
        while True:
            head = mine.model_info("org/thing").sha
            try:
                put(mine, f"strict-{number}.bin", b"%d" % number, parent_commit=head)
                return
            except HfHubHTTPError as error:
                assert error.response.status_code == 412
                refused.append(number)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    titles = [item.title for item in api.list_repo_commits("org/thing")]
    wanted = [f"put {kind}-{number}" for kind in ("free", "strict") for number in range(16)]
    assert sorted(title.rpartition(".")[0] for title in titles if title != "initial commit") == sorted(wanted)
    assert len(api.list_repo_files("org/thing")) == 32


def test_a_backup_taken_while_clients_push(api: HfApi, served_hub: Any, tmp_path: Path) -> None:
    stop = threading.Event()
    pushed: list[str] = []

    def push() -> None:
        while not stop.is_set():
            pushed.append(put(api, f"{len(pushed)}.bin", b"%d" % len(pushed)))

    put(api, "first.bin", b"first")
    thread = threading.Thread(target=push)
    thread.start()
    try:
        while len(pushed) < 3:
            stop.wait(0.01)
        known = list(pushed)
        for _ in range(2):  # the second brings the first up to date
            assert run(["hub", "backup", str(served_hub.folder), str(tmp_path / "copy")]) == 0
    finally:
        stop.set()
        thread.join()
    store = Store(tmp_path / "copy")
    assert check_store(store).clean
    store.close()
    with serve_folder(tmp_path / "copy") as copy:
        there = HfApi(endpoint=copy.url, token=served_hub.token)
        assert set(known) <= {item.commit_id for item in there.list_repo_commits("org/thing")}
        target = there.hf_hub_download("org/thing", "first.bin", local_dir=tmp_path / "plain")
        assert Path(target).read_bytes() == b"first"


def test_a_folder_and_a_file_of_one_name(api: HfApi) -> None:
    put(api, "a", b"file")
    with pytest.raises(HfHubHTTPError) as caught:
        put(api, "a/b", b"in it")
    assert caught.value.response.status_code == 422
    put(api, "c/d", b"in it")
    with pytest.raises(HfHubHTTPError) as caught:
        put(api, "c", b"file")
    assert caught.value.response.status_code == 422


def test_names_that_differ_only_by_case(api: HfApi) -> None:
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_repo("Org/Thing")
    assert caught.value.response.status_code == 409


def test_downloads_are_counted(api: HfApi, served_hub: Any, tmp_path: Path) -> None:
    put(api, "small.txt", b"1")
    put(api, "model.safetensors", b"x" * 1000)
    api.snapshot_download("org/thing", cache_dir=tmp_path / "a")
    api.snapshot_download("org/thing", cache_dir=tmp_path / "b")
    folder = served_hub.folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.hub.server.downloads._EVERY_SECONDS", -1)
        api.snapshot_download("org/thing", cache_dir=tmp_path / "c")
        store = Store(folder)
        deadline = time.monotonic() + 60
        while store.repos.find("models", "org/thing").downloads != 3:  # type: ignore[union-attr]
            assert time.monotonic() < deadline
            time.sleep(0.01)
        store.close()


def test_statistics(api: HfApi, served_hub: Any, capsys: pytest.CaptureFixture[str]) -> None:
    put(api, "a.bin", b"content")
    assert run(["hub", "stats", str(served_hub.folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["repos"], found["commits"], found["blobs"], found["bytes"]) == ({"models": 1}, 2, 1, 7)
    assert run(["hub", "stats", str(served_hub.folder)]) == 0
    assert "models/org/thing" in capsys.readouterr().out
    assert run(["hub", "stats", str(served_hub.folder / "nowhere")]) == 3


def test_an_old_layout_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("CREATE TABLE repos (id INTEGER)")
    connection.close()
    assert run(["hub", "stats", str(tmp_path)]) == 7
    assert "fresh folder" in capsys.readouterr().err
