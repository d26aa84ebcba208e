"""A store's folder that somebody gave: nothing outside of it is reached, and nothing strange in it is opened."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from zoo.cli import run
from zoo.errors import IntegrityError, StorageError
from zoo.hub.server.collect import collect
from zoo.hub.server.fsck import check_store, quarantine
from zoo.hub.server.serving import serve_folder
from zoo.hub.server.store import ServedStore, Store

FOLDERS = ("blobs", "temporary", "trash", "xorbs", "quarantine", "log", "unnamed")
FILES = ("store.db", "store.db-wal", "store.db-shm", "export.db", "lock", "token", "log/access.jsonl")


def everything(folder: Path) -> dict[str, object]:
    """Return what a folder holds: bytes, links, modes."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        content = os.readlink(path) if stat.S_ISLNK(mode) else path.read_bytes() if stat.S_ISREG(mode) else None
        found[str(path.relative_to(folder))] = (mode, content)
    return found


def make_link(path: Path, outside: Path) -> None:
    """Put a link in the place of a part of a store, to a folder or file of the same kind that is precious."""
    target = outside / path.name
    if path.name in FOLDERS:
        target.mkdir()
        (target / "precious").write_bytes(b"precious")
    else:
        target.write_bytes(path.read_bytes() if path.exists() else b"precious")
    if path.is_dir():
        os.rename(path, path.with_name("moved"))
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def make_fifo(path: Path, outside: Path) -> None:
    if path.is_dir():
        os.rename(path, path.with_name("moved"))
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def make_other(path: Path, outside: Path) -> None:
    """Put a file in the place of a folder, or the other way round."""
    if path.is_dir():
        os.rename(path, path.with_name("moved"))
        path.write_bytes(b"file")
    else:
        path.unlink(missing_ok=True)
        path.mkdir() if path.name not in FOLDERS else path.write_bytes(b"file")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    return tmp_path / "outside"


@pytest.mark.parametrize("make", [make_link, make_fifo, make_other])
@pytest.mark.parametrize("part", [*FOLDERS, *FILES])
def test_121_no_part_of_a_store_is_a_link_or_the_like(
    old_store: Path,
    outside: Path,
    part: str,
    make: Callable[[Path, Path], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (old_store / "log").mkdir()
    (old_store / "temporary" / "left").write_bytes(b"left")
    (old_store / "trash" / "left").write_bytes(b"left")
    make(old_store / part, outside)
    before, precious = everything(old_store), everything(outside)
    with pytest.raises(IntegrityError, match=part), serve_folder(old_store):
        pass
    for command in (["fsck"], ["gc"], ["stats"], ["user", "list"], ["user", "add"], ["rebuild"], ["backup"]):
        rest = {"add": ["eve"], "backup": [str(outside / "copy")]}.get(command[-1], [])
        assert run(["hub", *command, str(old_store), *rest]) == 5
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and str(old_store / part) in said
    assert everything(old_store) == before and everything(outside) == precious


@pytest.mark.parametrize("part", ["temporary", "trash", "xorbs"])
@pytest.mark.parametrize("make", [make_link, make_fifo])
def test_121_what_lies_in_a_store_s_folders_is_a_plain_file(
    old_store: Path, outside: Path, part: str, make: Callable[[Path, Path], None]
) -> None:
    make(old_store / part / "item", outside)
    with pytest.raises(IntegrityError, match="item"):
        ServedStore(old_store)


def test_121_store_folder_is_a_link(old_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = tmp_path / "link"
    link.symlink_to(old_store)
    before = everything(old_store)
    with pytest.raises(IntegrityError, match=f"leads to: {old_store}"), serve_folder(link):
        pass
    assert run(["hub", "fsck", str(link)]) == 5 and everything(old_store) == before
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    assert run(["push", str(tmp_path), "org/thing", "--hub", str(link)]) != 0
    assert not (tmp_path / "nowhere").exists()


def test_121_a_pull_from_a_folder_follows_no_link(
    old_store: Path, outside: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_link(old_store / "temporary", outside)
    precious = everything(outside)
    assert run(["pull", "hf://org/kept", "--hub", str(old_store), "--to", str(tmp_path / "to")]) == 5
    assert "temporary is no folder" in capsys.readouterr().err and everything(outside) == precious


def test_121_a_server_s_process_refuses_a_link(old_store: Path, outside: Path) -> None:
    make_link(old_store / "lock", outside)
    (outside / "lock").write_bytes(b"precious")
    command = [sys.executable, "-m", "zoo", "hub", "serve", str(old_store), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 5 and "lock is no plain file" in done.stderr
    assert (outside / "lock").read_bytes() == b"precious"


@pytest.mark.parametrize("level", [1, 2])
def test_121_a_link_among_the_folders_of_blobs(old_store: Path, outside: Path, level: int) -> None:
    """What lies behind it is neither read, replaced, moved nor removed, and fsck tells of it."""
    blob = next(path for path in (old_store / "blobs").rglob("*") if path.is_file())
    folder = blob.parents[2 - level]
    os.rename(folder, outside / folder.name)
    folder.symlink_to(outside / folder.name)
    os.utime(next(path for path in outside.rglob("*") if path.is_file()), (0, 0))
    precious = everything(outside)
    store = Store(old_store)
    with pytest.raises(OSError):
        store.blobs.open(blob.name)
    report = check_store(store)
    assert any(f"{folder} is a link" in problem for problem in report.problems) and blob.name in report.bad_blobs
    quarantine(store, report)
    (repo,) = store.database.rows("SELECT id FROM repos")[0]
    content = next(path for path in outside.rglob("*") if path.is_file()).read_bytes()
    with pytest.raises(NotADirectoryError), store.database.transaction() as connection:
        store.blobs.keep(connection, repo, [store.blobs.write(content)])
    with store.database.transaction() as connection:
        connection.execute("DELETE FROM repos WHERE id<>?", (repo,))
    collect(store, older_than=-1)  # which takes the link itself away
    with store.database.transaction() as connection:
        store.blobs.keep(connection, repo, [store.blobs.write(content)])
    store.close()
    assert folder.is_dir() and not folder.is_symlink() and blob.read_bytes() == content
    assert everything(outside) == precious


def test_121_a_pipe_in_the_place_of_a_blob_holds_nobody_up(old_store: Path) -> None:
    blob = next(path for path in (old_store / "blobs").rglob("*") if path.is_file())
    blob.unlink()
    os.mkfifo(blob)
    store = Store(old_store)
    with pytest.raises(OSError, match="No plain file"):
        store.blobs.open(blob.name)
    assert blob.name in check_store(store).bad_blobs
    store.close()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE xorbs SET file='../../precious'", "outside of the folder"),
        ("CREATE TRIGGER t AFTER INSERT ON refs BEGIN DELETE FROM repos; END", "has the trigger t"),
        ("CREATE VIEW v AS SELECT 1", "has the view v"),
        ("DROP TABLE placements", "lacks the table placements"),
    ],
)
def test_a_database_that_somebody_gave_is_looked_at_first(old_store: Path, damage: str, said: str) -> None:
    with closing(sqlite3.connect(old_store / "store.db")) as connection, connection:
        connection.execute(damage)
    with pytest.raises(IntegrityError, match=said):
        Store(old_store)


def test_a_hash_in_the_database_that_is_a_path(old_store: Path) -> None:
    precious = old_store.parent / "precious"
    precious.write_bytes(b"precious")
    with closing(sqlite3.connect(old_store / "store.db")) as connection, connection:
        connection.execute("INSERT INTO blobs VALUES ('../../../precious', 8, 0)")
    store = Store(old_store)
    with pytest.raises(IntegrityError, match="no sha256"):
        collect(store)
    with pytest.raises(IntegrityError, match="no sha256"):
        check_store(store)
    store.close()
    assert precious.read_bytes() == b"precious"


def test_a_store_of_another_user(old_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(old_store)
    monkeypatch.setattr(os, "geteuid", lambda: old_store.stat().st_uid + 1)
    with pytest.raises(StorageError, match="belongs to user"):
        ServedStore(old_store)
    assert everything(old_store) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("part", ["temporary", "token", "blobs"])
def test_a_part_of_another_user(old_store: Path, part: str) -> None:
    os.chown(old_store / part, 12345, -1)
    with pytest.raises(StorageError, match=f"{part} belongs to user 12345"):
        Store(old_store)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_folder_of_blobs_of_another_user(old_store: Path) -> None:
    blob = next(path for path in (old_store / "blobs").rglob("*") if path.is_file())
    os.chown(blob.parent, 12345, -1)
    store = Store(old_store)
    with pytest.raises(StorageError, match="belongs to user 12345"):
        store.blobs.open(blob.name)
    store.close()


@pytest.mark.parametrize("opening", [Store, ServedStore])
def test_a_store_that_others_can_read_is_made_private(old_store: Path, opening: type[Store]) -> None:
    old_store.chmod(0o777)
    for name in ("store.db", "token", "lock"):
        (old_store / name).chmod(0o666)
    opening(old_store).close()
    assert stat.S_IMODE(old_store.stat().st_mode) == 0o700
    assert {stat.S_IMODE((old_store / name).stat().st_mode) for name in ("store.db", "token", "lock")} == {0o600}


def test_a_folder_with_other_files_is_not_made_private(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "documents"
    folder.mkdir(mode=0o755)
    (folder / "letter.txt").write_text("dear")
    with pytest.raises(StorageError, match="holds other files"), serve_folder(folder):
        pass
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755 and os.listdir(folder) == ["letter.txt"]
    for command in ("fsck", "gc", "stats", "rebuild"):
        assert run(["hub", command, str(folder)]) == 3
        assert "no Hub" in capsys.readouterr().err
    assert os.listdir(folder) == ["letter.txt"]
    folder.chmod(0o700)
    with serve_folder(folder):
        pass


def test_a_second_name_of_the_database(old_store: Path) -> None:
    os.link(old_store / "store.db", old_store.parent / "snapshot.db")
    with pytest.raises(IntegrityError, match="second name"):
        Store(old_store)


def test_the_lock_is_not_emptied(old_store: Path) -> None:
    (old_store / "lock").write_bytes(b"kept")
    ServedStore(old_store).close()
    assert (old_store / "lock").read_bytes() == b"kept"


def test_gc_leaves_a_stray_link_s_target_alone(old_store: Path, outside: Path) -> None:
    (outside / "precious").write_bytes(b"precious")
    (old_store / "blobs" / "stray").symlink_to(outside / "precious")
    os.utime(old_store / "blobs" / "stray", (0, 0), follow_symlinks=False)
    store = Store(old_store)
    assert collect(store).strays == 1 and (outside / "precious").read_bytes() == b"precious"
    store.close()
