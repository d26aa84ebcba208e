"""`zoo hub backup` brings a copy up to date, and writes to nothing that is no copy."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from zoo.cli import run
from zoo.hub.server.fsck import check_store
from zoo.hub.server.serving import serve_folder
from zoo.hub.server.store import Store


def state(folder: Path) -> dict[str, tuple[int, int, bytes | None]]:
    """Return what a folder holds, and which files these are."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        if path.name.endswith(("-shm", "-wal")):
            continue
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
        found[str(path.relative_to(folder))] = (status.st_ino, status.st_mode, content)
    return found


def push(hub: Any, repo: str, content: bytes = b"content") -> None:
    api = HfApi(endpoint=hub.url, token=hub.token)
    api.create_repo(repo, exist_ok=True)
    api.upload_file(path_or_fileobj=content, path_in_repo="a.txt", repo_id=repo)


def back_up(source: Path, target: Path) -> int:
    return int(run(["hub", "backup", str(source), str(target)]))


WAYS: dict[str, Callable[[Path], Path]] = {
    "the same path": lambda folder: folder,
    "another path": lambda folder: folder / "blobs" / "..",
    "a link": lambda folder: link(folder.parent / "link", folder),
    "a path through a link": lambda folder: link(folder.parent / "above", folder.parent) / folder.name,
    "a folder in it": lambda folder: folder / "backup",
    "its blobs": lambda folder: folder / "blobs",
    "the folder that it lies in": lambda folder: folder.parent,
}


def link(path: Path, target: Path) -> Path:
    path.symlink_to(target)
    return path


@pytest.mark.parametrize("how", WAYS)
def test_a_backup_of_a_served_hub_into_itself_is_refused(
    served_hub: Any, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    push(served_hub, "org/before")
    target = WAYS[how](served_hub.folder)
    before = state(served_hub.folder)
    assert back_up(served_hub.folder, target) == 2
    said = capsys.readouterr().err
    assert "one folder, or one lies in the other" in said and said.count("\n") == 1
    assert state(served_hub.folder) == before
    push(served_hub, "org/after")
    store = Store(served_hub.folder)
    assert store.repos.find("models", "org/after") is not None and check_store(store).clean
    store.close()


def test_a_backup_into_a_folder_that_a_server_s_process_serves(
    served_hub: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "copy"
    assert back_up(served_hub.folder, target) == 0
    command = [sys.executable, "-m", "zoo", "hub", "serve", str(target), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split(" on ")[1].split(" ")[0]
        before = state(target)
        assert back_up(served_hub.folder, target) == 7
        assert "another server has the store" in capsys.readouterr().err
        assert state(target) == before
        HfApi(endpoint=url, token=served_hub.token).create_repo("org/on-the-copy")
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        process.kill()
        process.communicate()
    before = state(target)
    assert back_up(served_hub.folder, target) == 2  # it has a life of its own now
    assert "was served or changed since it was copied" in capsys.readouterr().err
    assert state(target) == before


def test_a_copy_that_was_only_looked_at_is_brought_up_to_date(served_hub: Any, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    push(served_hub, "org/first")
    assert back_up(served_hub.folder, target) == 0
    assert run(["hub", "fsck", str(target)]) == 0
    with serve_folder(target) as copy:
        assert HfApi(endpoint=copy.url, token=served_hub.token).model_info("org/first").sha
    push(served_hub, "org/second")
    assert back_up(served_hub.folder, target) == 0
    store = Store(target)
    assert store.repos.find("models", "org/second") is not None and check_store(store).clean
    store.close()


def other_hub(folder: Path) -> None:
    with serve_folder(folder) as hub:
        push(hub, "other/thing")


def half_foreign(folder: Path) -> None:
    folder.mkdir()
    (folder / "store.db").write_bytes(b"no database")


FOREIGN: dict[str, Callable[[Path], object]] = {
    "another Hub": other_hub,
    "a file": lambda folder: (folder.mkdir(), (folder / "letter.txt").write_text("dear")),
    "blobs alone": lambda folder: (folder / "blobs" / "ab").mkdir(parents=True),
    "no database": half_foreign,
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_backup_into_what_is_no_backup_of_this_hub(
    served_hub: Any, tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    FOREIGN[what](tmp_path / "other")
    (tmp_path / "other").chmod(0o755)
    before = state(tmp_path / "other")
    assert back_up(served_hub.folder, tmp_path / "other") == 2
    assert "is no backup of" in capsys.readouterr().err
    assert state(tmp_path / "other") == before and stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o755


def test_source_and_target_the_wrong_way_round(served_hub: Any, tmp_path: Path) -> None:
    with serve_folder(tmp_path / "hub-2") as hub:
        push(hub, "org/first")
        assert back_up(hub.folder, tmp_path / "copy") == 0
        push(hub, "org/second")
    before = state(tmp_path / "hub-2")
    assert back_up(tmp_path / "copy", tmp_path / "hub-2") == 2
    assert state(tmp_path / "hub-2") == before


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o700])
@pytest.mark.parametrize("again", [False, True])
def test_nobody_else_reads_the_keys_in_a_backup(served_hub: Any, tmp_path: Path, mode: int, again: bool) -> None:
    target = tmp_path / "copy"
    if again:
        assert back_up(served_hub.folder, target) == 0
        for name in ("store.db", "token", "lock"):
            (target / name).chmod(0o666)
    target.mkdir(exist_ok=True)
    target.chmod(mode)
    assert back_up(served_hub.folder, target) == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o700
    for name in ("store.db", "token"):
        assert stat.S_IMODE((target / name).stat().st_mode) == 0o600
    assert (target / "token").read_text() == served_hub.token


def test_121_a_backup_follows_no_link(served_hub: Any, tmp_path: Path) -> None:
    push(served_hub, "org/thing", os.urandom(2000))
    target, outside = tmp_path / "copy", tmp_path / "outside"
    outside.mkdir()
    assert back_up(served_hub.folder, target) == 0
    (target / "token").unlink()
    (target / "token").symlink_to(outside / "token")
    assert back_up(served_hub.folder, target) == 5
    (target / "token").unlink()
    shutil.rmtree(target / "blobs")
    (target / "blobs").mkdir()
    for name in (f"{number:02x}" for number in range(256)):
        (target / "blobs" / name).symlink_to(outside)
    assert back_up(served_hub.folder, target) == 7
    assert not list(outside.iterdir())


def test_a_backup_to_a_folder_of_another_user(
    served_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    (tmp_path / "copy").mkdir()
    os.chown(tmp_path / "copy", 12345, -1)
    assert back_up(served_hub.folder, tmp_path / "copy") == 7
    assert "belongs to user 12345" in capsys.readouterr().err and not list((tmp_path / "copy").iterdir())


@pytest.mark.parametrize("stage", ["Database.back_up", "Shelves.put", "write_secret"])
def test_a_backup_that_was_killed_is_finished_by_the_next(served_hub: Any, tmp_path: Path, stage: str) -> None:
    push(served_hub, "org/thing", os.urandom(2000))
    code = f"""
import os, signal
from pathlib import Path
from zoo.hub.server import backup
from zoo.hub.server.database import Database
from zoo.hub.server.shelves import Shelves
backup.{stage} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from zoo.hub.server.store import Store
backup.back_up(Store(Path({str(served_hub.folder)!r})), Path({str(tmp_path / "copy")!r}))
""".replace("backup.Database.", "Database.")
    done = subprocess.run([sys.executable, "-c", code], timeout=60)
    assert done.returncode == -signal.SIGKILL and not (tmp_path / "copy" / "store.db").exists()
    assert back_up(served_hub.folder, tmp_path / "copy") == 0
    store = Store(tmp_path / "copy")
    assert check_store(store).clean and store.repos.find("models", "org/thing") is not None
    store.close()


def test_a_backup_that_layout_2_wrote(old_store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("blobs", "store.db", "token"):
        (shutil.copytree if (old_store / name).is_dir() else shutil.copy)(old_store / name, copy / name)
    assert back_up(old_store, copy) == 0
    assert back_up(old_store, copy) == 0
    shutil.rmtree(tmp_path / "copy")
    shutil.copytree(old_store, copy)  # what has a lock was served
    assert back_up(copy, old_store) == 2


def test_a_hub_is_restored_from_its_backup(served_hub: Any, tmp_path: Path) -> None:
    """The backup's folder in the place of the lost one is the same Hub: users, tokens, history, bytes."""
    content = os.urandom(2000)
    with serve_folder(tmp_path / "hub-2") as hub:
        push(hub, "org/thing", content)
        assert run(["hub", "user", "add", str(hub.folder), "alice"]) == 0
        assert back_up(hub.folder, tmp_path / "copy") == 0
        commits = [item.commit_id for item in HfApi(endpoint=hub.url, token=hub.token).list_repo_commits("org/thing")]
        token = hub.token
    shutil.rmtree(tmp_path / "hub-2")
    assert back_up(tmp_path / "copy", tmp_path / "hub-2") == 0
    with serve_folder(tmp_path / "hub-2") as again:
        api = HfApi(endpoint=again.url, token=token)
        assert [item.commit_id for item in api.list_repo_commits("org/thing")] == commits
        assert Path(api.hf_hub_download("org/thing", "a.txt")).read_bytes() == content
        push(again, "org/more")
    assert run(["hub", "fsck", str(tmp_path / "hub-2")]) == 0
    store = Store(tmp_path / "hub-2")
    assert store.users.find("alice") is not None
    store.close()


def test_a_damaged_store_replaces_no_backup(old_store: Path, tmp_path: Path) -> None:
    assert back_up(old_store, tmp_path / "copy") == 0
    before = state(tmp_path / "copy")
    with open(old_store / "store.db", "r+b") as file:
        file.seek(4096 * 20)
        file.write(os.urandom(4096))
    assert back_up(old_store, tmp_path / "copy") == 5
    assert state(tmp_path / "copy")["store.db"] == before["store.db"]
