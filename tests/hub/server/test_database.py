"""A store's database: refused when it is lost, given up when it is replaced."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from zoo.cli import run
from zoo.errors import IntegrityError, StorageError
from zoo.hub.server.collect import collect
from zoo.hub.server.database import Database
from zoo.hub.server.fsck import check_store
from zoo.hub.server.serving import serve_folder
from zoo.hub.server.store import ServedStore, Store


def test_an_id_is_never_used_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "hub")
    ids = []
    for name in ("a/b", "a/c", "a/b"):
        store.commits.create_repo("models", name, False, "zoo")
        repo = store.repos.find("models", name)
        assert repo is not None
        ids.append(repo.id)
        store.repos.delete(repo)
    assert len(set(ids)) == 3
    store.close()


def cut(path: Path, size: int) -> None:
    os.truncate(path, size)


def spoil(path: Path, seed: int) -> None:
    path.write_bytes(random.Random(seed).randbytes(path.stat().st_size))


LOST: dict[str, Callable[[Path], None]] = {
    "empty": lambda path: cut(path, 0),
    "missing": Path.unlink,
    **{f"cut at {size}": lambda path, size=size: cut(path, size) for size in (1, 99, 100, 511, 512, 1000)},  # type: ignore[misc]
    **{f"cut at {size}": lambda path, size=size: cut(path, size) for size in (4096, 65_536, 139_263)},  # type: ignore[misc]
    "random": lambda path: spoil(path, 1),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "text": lambda path: path.write_text("<html>" * 1000),
}


@pytest.mark.parametrize("how", LOST)
def test_122_a_store_that_lost_its_database(
    old_store: Path, how: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    LOST[how](old_store / "store.db")
    before = {path: path.read_bytes() for path in old_store.rglob("*") if path.is_file()}
    with pytest.raises(IntegrityError, match="hub rebuild"), serve_folder(old_store):
        pass
    for command in (["fsck"], ["gc"], ["stats"], ["user", "list"], ["backup"]):
        rest = [str(tmp_path / "copy")] if command == ["backup"] else []
        assert run(["hub", *command, str(old_store), *rest]) == 5
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "store.db" in said and "serve a backup" in said and "hub rebuild" in said
    assert run(["pull", "hf://org/kept", "--hub", str(old_store), "--to", str(tmp_path / "to")]) == 5
    after = {path: path.read_bytes() for path in old_store.rglob("*") if path.is_file()}
    after.pop(old_store / "lock")
    before.pop(old_store / "lock")
    assert {path: content for path, content in after.items() if "store.db-" not in path.name} == before
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "its store.db is empty"),
        (random.Random(2).randbytes(100_000), "its store.db is cut, or no database"),
        (random.Random(3).randbytes(98_304), "its store.db is"),
    ],
    ids=["empty", "random bytes", "random pages"],
)
def test_122_a_server_s_process_refuses_what_is_no_database(old_store: Path, content: bytes, said: str) -> None:
    (old_store / "store.db").write_bytes(content)
    command = [sys.executable, "-m", "zoo", "hub", "serve", str(old_store), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 5 and not done.stdout
    assert said in done.stderr and done.stderr.count("\n") == 1 and "zoo hub rebuild" in done.stderr


def test_122_the_blobs_are_gone(old_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(old_store / "blobs")
    with pytest.raises(IntegrityError, match="folder blobs is missing"), serve_folder(old_store):
        pass
    assert run(["hub", "gc", str(old_store)]) == 5 and not (old_store / "blobs").exists()


@pytest.mark.parametrize("page", range(2, 34, 5))
def test_122_pages_of_the_database_are_random(old_store: Path, page: int) -> None:
    """What only a whole check finds is found by fsck, and neither collected by nor copied."""
    Store(old_store).close()
    with open(old_store / "store.db", "r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(random.Random(page).randbytes(4096))
    blobs = sorted((old_store / "blobs").rglob("*"))
    try:
        store = Store(old_store)
    except IntegrityError:
        return
    with pytest.raises(IntegrityError):
        collect(store, older_than=-1)
    with pytest.raises(IntegrityError):
        store.database.back_up(old_store / "export.db")
    try:
        assert any(problem.startswith("database: ") for problem in check_store(store).problems)
    except IntegrityError as error:
        assert "is damaged" in str(error)
    store.close()
    assert sorted((old_store / "blobs").rglob("*")) == blobs and not (old_store / "export.db").exists()


def test_122_another_s_database_beside_the_blobs(old_store: Path, tmp_path: Path) -> None:
    """As when a store that had lost its database was served as a new one: fsck tells, and gc removes nothing."""
    Store(tmp_path / "new").close()
    os.replace(tmp_path / "new" / "store.db", old_store / "store.db")
    for path in (old_store / "blobs").rglob("*"):
        os.utime(path, (0, 0))
    store = Store(old_store)
    assert any("names no blob at all, and 9 lie there" in problem for problem in check_store(store).problems)
    with pytest.raises(IntegrityError, match="names no blob at all and 9 lie"):
        collect(store)
    store.close()
    assert len([path for path in (old_store / "blobs").rglob("*") if path.is_file()]) == 9


@pytest.mark.parametrize("damage", ["DELETE FROM trees WHERE oid=?", "UPDATE trees SET entries=x'90' WHERE oid=?"])
def test_gc_removes_nothing_when_a_folder_cannot_be_read(old_store: Path, damage: str) -> None:
    store = Store(old_store)
    (tree,) = store.database.rows("SELECT tree FROM commits WHERE title='put 1'")[0]
    with store.database.transaction() as connection:
        connection.execute(damage, (tree,))
    with pytest.raises(IntegrityError, match="nothing is removed"):
        collect(store, older_than=-1)
    assert len([path for path in (old_store / "blobs").rglob("*") if path.is_file()]) == 9
    store.close()


def test_a_kill_at_the_first_start_is_no_loss(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir(mode=0o755)
    (tmp_path / "hub" / "lock").touch()
    (tmp_path / "hub" / "store.db.part").write_bytes(b"half")
    (tmp_path / "hub" / "store.db.part-wal").write_bytes(b"half")
    (tmp_path / "hub").chmod(0o700)
    with serve_folder(tmp_path / "hub") as hub:
        assert hub.first_start
    assert not list((tmp_path / "hub").glob("*.part*"))


def replace_database(folder: Path) -> None:
    shutil.copy(folder / "store.db", folder / "store.db.new")
    os.replace(folder / "store.db.new", folder / "store.db")


REPLACED: dict[str, Callable[[Path], object]] = {
    "store.db is another": replace_database,
    "store.db is gone": lambda folder: (folder / "store.db").unlink(),
    "lock is another": lambda folder: ((folder / "lock").unlink(), (folder / "lock").touch()),
    "lock is gone": lambda folder: (folder / "lock").unlink(),
    "the folder was moved": lambda folder: os.rename(folder, folder.with_name("moved")),
}


@pytest.mark.parametrize("how", REPLACED)
def test_a_store_whose_files_were_replaced_takes_nothing_more(tmp_path: Path, how: str) -> None:
    store = ServedStore(tmp_path / "hub")
    store.commits.create_repo("models", "org/thing", False, "zoo")
    REPLACED[how](tmp_path / "hub")
    with pytest.raises(StorageError, match="was replaced or removed"):
        store.commits.create_repo("models", "org/other", False, "zoo")
    with pytest.raises(StorageError, match="was replaced or removed"):
        store.repos.find("models", "org/thing")
    with pytest.raises(StorageError, match="was replaced or removed"):
        check_store(store)
    store.close()
    assert not (tmp_path / "hub" / "export.db").exists()


def test_a_change_that_ends_in_a_replaced_file_is_not_acknowledged(tmp_path: Path) -> None:
    database = Database(tmp_path / "store.db")
    with pytest.raises(StorageError, match="was replaced"), database.transaction() as connection:
        connection.execute("INSERT INTO settings VALUES ('a', 'b')")
        replace_database(tmp_path)
    database.close()


def test_a_server_s_process_whose_database_is_replaced_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    command = [sys.executable, "-m", "zoo", "hub", "serve", str(folder), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split(" on ")[1].split(" ")[0]
        bearer = {"Authorization": f"Bearer {(folder / 'token').read_text()}"}

        def create(name: str) -> tuple[int, str]:
            body = json.dumps({"name": name, "organization": "org"}).encode()
            try:
                with urllib.request.urlopen(urllib.request.Request(f"{url}/api/repos/create", body, bearer)) as answer:
                    return answer.status, ""
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, str(error.headers["X-Error-Message"])

        assert create("before")[0] == 200
        replace_database(folder)
        status, said = create("after")
        assert status == 503 and "changed behind its back" in said and str(tmp_path) not in said
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        _, log = process.communicate()
        assert f"{folder}/store.db was replaced or removed" in log
    finally:
        process.kill()
        process.communicate()


def test_the_last_server_leaves_an_export(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    with serve_folder(folder) as hub:
        HfApi(endpoint=hub.url, token=hub.token).create_repo("org/thing")
    assert (folder / "export.db").stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(folder / "export.db")) as connection:
        assert connection.execute("SELECT name FROM repos").fetchall() == [("org/thing",)]
    written = (folder / "export.db").stat().st_ino
    with serve_folder(folder):
        pass
    assert (folder / "export.db").stat().st_ino == written  # nothing was changed, so nothing is written
    assert (folder / "export.db").stat().st_mtime >= (folder / "token").stat().st_mtime
