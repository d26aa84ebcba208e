"""`zoo hub rebuild` makes another store.db, and says what it could not bring back."""

import hashlib
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants

from zoo.cli import run
from zoo.hub.server.collect import collect
from zoo.hub.server.fsck import check_store
from zoo.hub.server.serving import ServedHub, serve_folder
from zoo.hub.server.store import Store


def push(hub: ServedHub, repo: str, content: bytes) -> None:
    api = HfApi(endpoint=hub.url, token=hub.token)
    api.create_repo(repo, exist_ok=True)
    api.upload_file(path_or_fileobj=content, path_in_repo="a.bin", repo_id=repo)


def blob_of(folder: Path, content: bytes) -> Path:
    oid = hashlib.sha256(content).hexdigest()
    return folder / "blobs" / oid[:2] / oid[2:4] / oid


def rebuild(folder: Path, *rest: str) -> int:
    return int(run(["hub", "rebuild", str(folder), *rest]))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a Hub that has ended, which has a user with a token, and two repos."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    folder = tmp_path / "hub"
    with serve_folder(folder) as hub:
        push(hub, "org/thing", b"first")
        push(hub, "org/other", b"other")
        store = Store(folder)
        store.users.add("alice")
        alice = store.users.find("alice")
        assert alice is not None
        store.users.admit("zoo_of_alice", alice, "laptop")
        store.close()
    return folder


LOST: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "empty": lambda path: os.truncate(path, 0),
    "cut": lambda path: os.truncate(path, 8192),
    "random": lambda path: path.write_bytes(os.urandom(path.stat().st_size)),
}


@pytest.mark.parametrize("how", LOST)
def test_122_a_store_is_rebuilt_from_its_export(folder: Path, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    LOST[how](folder / "store.db")
    assert run(["hub", "stats", str(folder)]) == 5
    assert rebuild(folder) == 0
    said = capsys.readouterr().out
    assert f"2 repos, 4 commits and 2 users, from {folder}/export.db" in said and "tokens are void" in said
    assert "2 blobs verified, 0 missing, 0 broken" in said and "unnamed" not in said
    assert stat.S_IMODE((folder / "store.db").stat().st_mode) == 0o600
    assert run(["hub", "fsck", str(folder)]) == 0
    with serve_folder(folder) as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        assert Path(api.hf_hub_download("org/thing", "a.bin")).read_bytes() == b"first"
        push(hub, "org/thing", b"second")
    store = Store(folder)
    assert store.users.find("alice") is not None and store.users.identify("zoo_of_alice") is None
    store.close()
    assert (folder / "store.db.damaged").exists() == (how != "gone")


def test_what_came_after_the_export_is_kept_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = (folder / "export.db").read_bytes()
    with serve_folder(folder) as hub:
        push(hub, "org/new", b"pushed since")
        HfApi(endpoint=hub.url, token=hub.token).delete_repo("org/other")
    with closing(sqlite3.connect(folder / "store.db")) as connection:
        (key,) = connection.execute("SELECT value FROM settings WHERE key='signing_key'").fetchone()
        last = connection.execute("SELECT MAX(id) FROM repos").fetchone()[0]
    (folder / "export.db").write_bytes(old)
    (folder / "store.db").unlink()
    assert rebuild(folder) == 0
    said = capsys.readouterr().out
    assert f"{folder}/unnamed has 1 file that nothing names" in said and "as of 20" in said
    kept = folder / "unnamed" / hashlib.sha256(b"pushed since").hexdigest()
    assert kept.read_bytes() == b"pushed since"
    store = Store(folder)
    collect(store, older_than=-1)
    assert kept.exists() and check_store(store).clean
    assert store.repos.find("models", "org/other") is not None  # the export knows no better, and it was said
    assert store.setting("signing_key") != key  # whatever was signed since is void
    store.commits.create_repo("models", "org/next", False, "zoo")
    repo = store.repos.find("models", "org/next")
    assert repo is not None and repo.id > last + 1000
    store.close()


def test_nothing_but_blobs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "store.db").unlink()
    (folder / "export.db").unlink()
    token = (folder / "token").read_text()
    assert rebuild(folder) == 0
    said = capsys.readouterr().out
    assert "no repo, commit or user is known" in said and "2 files that nothing names" in said
    assert {path.read_bytes() for path in (folder / "unnamed").iterdir()} == {b"first", b"other"}
    with serve_folder(folder) as hub:
        assert hub.token == token and not hub.first_start
        push(hub, "org/thing", b"first")
    assert run(["hub", "fsck", str(folder)]) == 0


def test_from_a_backup_that_is_found_later(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hub", "backup", str(folder), str(tmp_path / "copy")]) == 0
    before = {path: path.read_bytes() for path in (tmp_path / "copy").rglob("*") if path.is_file()}
    (folder / "store.db").unlink()
    (folder / "export.db").unlink()
    assert rebuild(folder) == 0  # from nothing, which puts the blobs aside
    (folder / "store.db").unlink()
    assert rebuild(folder, "--from", str(tmp_path / "copy")) == 0
    assert "2 repos" in capsys.readouterr().out and not (folder / "unnamed").exists()
    assert run(["hub", "fsck", str(folder)]) == 0
    assert {path: path.read_bytes() for path in (tmp_path / "copy").rglob("*") if path.is_file()} == before
    assert run(["hub", "backup", str(folder), str(tmp_path / "copy")]) == 0  # it still is this Hub's


def test_from_a_store_of_layout_2(old_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(old_store, tmp_path / "lost")
    (tmp_path / "lost" / "store.db").unlink()
    assert rebuild(tmp_path / "lost", "--from", str(old_store)) == 0
    said = capsys.readouterr().out
    assert "4 repos, 10 commits and 3 users" in said and "9 blobs verified" in said
    assert run(["hub", "fsck", str(tmp_path / "lost")]) == 0


def test_blobs_that_are_missing_or_broken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "store.db").unlink()
    blob_of(folder, b"first").unlink()
    bad = blob_of(folder, b"other")
    bad.chmod(0o600)
    bad.write_bytes(b"0ther")
    assert rebuild(folder) == 0
    said = capsys.readouterr().out
    assert "0 blobs verified, 2 missing, 1 broken" in said and "hub fsck" in said
    assert (folder / "quarantine" / bad.name).read_bytes() == b"0ther"
    assert run(["hub", "fsck", str(folder), "--quarantine"]) == 5
    assert "models/org/thing a.bin needs" in capsys.readouterr().out
    with serve_folder(folder) as hub:
        push(hub, "org/thing", b"first")
        push(hub, "org/other", b"other")
    assert run(["hub", "fsck", str(folder)]) == 0, capsys.readouterr().out


def test_what_is_whole_or_in_use_is_not_rebuilt(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "store.db").read_bytes()
    assert rebuild(folder) == 2 and "is whole" in capsys.readouterr().err
    with serve_folder(folder):
        assert rebuild(folder) == 7 and "another server" in capsys.readouterr().err
    assert (folder / "store.db").read_bytes() == before


def test_an_export_that_is_no_use(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "store.db").unlink()
    (folder / "export.db").write_bytes(os.urandom(8192))
    assert rebuild(folder) == 5
    assert "export.db cannot be used" in capsys.readouterr().err
    assert not (folder / "store.db").exists() and blob_of(folder, b"first").exists()
    (tmp_path / "empty").mkdir()
    assert rebuild(folder, "--from", str(tmp_path / "empty")) == 3
    assert blob_of(folder, b"first").exists()


@pytest.mark.parametrize("stage", ["Shelves.take", "skip_ids", "_replace"])
def test_a_rebuild_that_was_killed_is_done_again(folder: Path, tmp_path: Path, stage: str) -> None:
    assert run(["hub", "backup", str(folder), str(tmp_path / "copy")]) == 0
    with serve_folder(folder) as hub:
        push(hub, "org/new", b"pushed since")
    (folder / "store.db").unlink()
    code = f"""
import os, signal
from pathlib import Path
from zoo.hub.server import salvage
salvage.{stage} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
salvage.salvage(Path({str(folder)!r}), Path({str(tmp_path / "copy")!r}))
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == -signal.SIGKILL
    assert not (folder / "store.db").exists() and run(["hub", "fsck", str(folder)]) == 5
    assert rebuild(folder) == 0  # from the export this time, which knows more
    assert run(["hub", "fsck", str(folder)]) == 0 and not (folder / "unnamed").exists()
    assert blob_of(folder, b"pushed since").exists()


def test_files_that_are_no_blobs_are_left_where_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As in the cache of another program, which has a folder `blobs` of its own."""
    other = tmp_path / "cache" / "blobs" / ("ab" * 32)
    other.parent.mkdir(parents=True)
    other.write_bytes(b"not ours")
    assert rebuild(tmp_path / "cache") == 0
    assert other.read_bytes() == b"not ours" and "0 blobs verified, 0 missing, 0 broken" in capsys.readouterr().out
