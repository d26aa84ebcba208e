"""A store of the layout before is brought up to date, at once and whole."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

from zoo.hub.server.fsck import check_store
from zoo.hub.server.schema import ADDED, VERSION
from zoo.hub.server.serving import serve_folder
from zoo.hub.server.store import Store

FORGOTTEN: dict[str, list[Any]] = {"xorbs": [], "placements": []}  # where chunks lie was the clients' word in layout 2
REPOS = "SELECT id, type, name, private, gated, created, modified, downloads, head FROM repos ORDER BY id"
TABLES = ("tags", "commits", "refs", "trees", "blobs", "uploads", "users", "namespaces", "tokens", "grants", "xorbs")


def contents(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as connection:
        found = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in (*TABLES, "placements")}
        return {"repos": connection.execute(REPOS).fetchall(), **found}


def test_a_store_of_layout_2_is_brought_up_to_date(old_store: Path) -> None:
    before = contents(old_store / "store.db")
    assert len(before["repos"]) == 4 and all(before.values())
    token = (old_store / "token").read_text()
    with serve_folder(old_store) as hub:
        assert contents(old_store / "store.db") == before | FORGOTTEN
        with closing(sqlite3.connect(old_store / "store.db")) as connection:
            assert not connection.execute("SELECT 1 FROM settings WHERE key='store_id'").fetchone()  # clients forget
        assert hub.token == token
        api = HfApi(endpoint=hub.url, token=hub.token)
        assert api.hf_hub_download("org/kept", "model.safetensors", revision="v1")
        assert [item.id for item in api.list_models(search="secret")] == ["alice/secret"]
        assert api.model_info("org/gated").gated == "manual"
        api.create_repo("org/new")
    store = Store(old_store)
    assert check_store(store).clean
    repo = store.repos.find("models", "org/new")
    assert repo is not None and repo.id > 1_000_000  # two repos with ids above those that are left were deleted
    assert store.database.rows("SELECT DISTINCT epoch FROM repos") == [(0,)]
    with store.database.transaction() as connection:  # children still refer to their repo
        connection.execute("DELETE FROM repos WHERE id=1")
    assert not store.database.rows("SELECT 1 FROM commits WHERE repo=1")
    store.close()


def test_both_ways_to_the_layout_of_today_give_the_same_tables(old_store: Path, tmp_path: Path) -> None:
    Store(old_store).close()
    Store(tmp_path / "new").close()
    shapes = []
    for folder in (old_store, tmp_path / "new"):
        with closing(sqlite3.connect(folder / "store.db")) as connection:
            query = "SELECT type, name, tbl_name, REPLACE(sql, '\"', '') FROM sqlite_master ORDER BY name"
            names = [row[1] for row in connection.execute(query)]
            columns = [connection.execute(f"PRAGMA table_info('{name}')").fetchall() for name in names]
            shapes.append((connection.execute(query).fetchall(), columns))
    assert shapes[0] == shapes[1]


KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from zoo.hub.server.database import Database
left = int(sys.argv[2])
connect = sqlite3.connect

def counting(*arguments, **options):
    connection = connect(*arguments, **options)

    def count(statement):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    connection.set_trace_callback(count)
    return connection

sqlite3.connect = counting
Database(Path(sys.argv[1]) / "store.db").close()
"""


def test_a_kill_in_the_middle_of_the_change_leaves_one_layout_or_the_other(old_store: Path, tmp_path: Path) -> None:
    before = contents(old_store / "store.db")
    killed = 0
    for number in range(4, 60, 4):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(old_store, copy)
        process = subprocess.run([sys.executable, "-c", KILLED, str(copy), str(number)], timeout=60)
        assert process.returncode in (0, -signal.SIGKILL)
        killed += process.returncode != 0
        with closing(sqlite3.connect(copy / "store.db")) as connection:
            done = connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert contents(copy / "store.db") == before | (FORGOTTEN if done else {})
        store = Store(copy)
        assert store.database.rows("PRAGMA user_version") == [(VERSION,)] and check_store(store).clean
        store.close()
    assert killed >= 5


def test_two_that_open_an_old_store_at_once(old_store: Path) -> None:
    before = contents(old_store / "store.db")
    code = f"from pathlib import Path; from zoo.hub.server.store import Store; Store(Path({str(old_store)!r})).close()"
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert contents(old_store / "store.db") == before | FORGOTTEN


def test_a_store_of_layout_3_gets_the_tables_that_it_lacks(tmp_path: Path) -> None:
    with serve_folder(tmp_path / "hub") as hub:
        HfApi(endpoint=hub.url, token=hub.token).create_repo("org/kept")
    with closing(sqlite3.connect(tmp_path / "hub" / "store.db", isolation_level=None)) as connection:
        for table in ADDED:
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version=3")
    store = Store(tmp_path / "hub")
    assert store.repos.find("models", "org/kept") and check_store(store).clean
    assert store.database.rows("PRAGMA user_version") == [(VERSION,)]
    store.close()
