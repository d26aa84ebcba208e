"""zoo.lock pins what a name stood for; `--locked` obeys it to the byte."""

from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.hub.push import push_folder
from zoo.hub.records import PulledFile
from zoo.weights.lockfile import LockedBase, read_bases, read_lock, write_base, write_lock

FILES = [PulledFile('pictures/"odd" \x7f.png', "b" * 64, 3), PulledFile("model.safetensors", "a" * 64, 7)]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "zoo.lock"
    write_lock("net.b", "org/b", "1" * 40, FILES, path)
    write_lock("hf://org/a@v1", "org/a", "2" * 40, FILES, path)
    found = read_lock(path)
    assert list(found) == ["hf://org/a@v1", "net.b"]
    assert found["net.b"].files['pictures/"odd" \x7f.png'].sha256 == "b" * 64
    before = path.read_bytes()
    write_lock("net.b", "org/b", "1" * 40, reversed(FILES), path)
    assert path.read_bytes() == before


def test_bases_of_adapters_are_kept_beside_names(tmp_path: Path) -> None:
    path = tmp_path / "zoo.lock"
    repo = LockedBase('org/"a"', "b" * 64, "1" * 40)
    write_base("c" * 64, repo, path)
    write_lock("net.b", "org/b", "1" * 40, FILES, path)
    write_base("a" * 64, LockedBase("./folder", "d" * 64), path)
    assert read_bases(path) == {"a" * 64: LockedBase("./folder", "d" * 64), "c" * 64: repo}
    assert list(read_lock(path)) == ["net.b"]


@pytest.mark.parametrize(
    "text",
    [
        "version = 2",
        "version = 1\n[bases.a]\nsource = 'x'\nsha256 = '" + "a" * 64 + "'",
        "version = 1" + "0" * 5000,
        "version = 1\nextra = 1",
        "]",
        "version = 1\n[weights.a]\nrepo = 1",
    ],
)
def test_broken_lock(tmp_path: Path, text: str) -> None:
    (tmp_path / "zoo.lock").write_text(text)
    with pytest.raises(IntegrityError, match=r"zoo\.lock"):
        read_lock(tmp_path / "zoo.lock")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_locked_pull_takes_the_commit_of_the_lock(tmp_path: Path, here: Path, served_hub: Any) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "config.json").write_text("{}")
    first = push_folder(tmp_path / "source", "org/thing", hub=served_hub.url, message="first")
    zoo.pull("hf://org/thing", hub=served_hub.url, lock=True)
    (tmp_path / "source" / "config.json").write_text("{ }")
    second = push_folder(tmp_path / "source", "org/thing", hub=served_hub.url, message="second")
    assert zoo.pull("hf://org/thing", hub=served_hub.url).commit == second.commit
    assert zoo.pull("hf://org/thing", hub=served_hub.url, locked=True).commit == first.commit
    assert zoo.pull("hf://org/thing", locked=True, offline=True).commit == first.commit
    with pytest.raises(UsageError, match="choose one"):
        zoo.pull("hf://org/thing", locked=True, revision="v1")


def test_locked_bytes_that_the_hub_has_no_more(tmp_path: Path, here: Path, served_hub: Any) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "model.safetensors").write_bytes(b"12345678")
    commit = push_folder(tmp_path / "source", "org/thing", hub=served_hub.url, message="first").commit
    write_lock("net.a", "org/thing", commit, [PulledFile("model.safetensors", "0" * 64, 8)])
    with pytest.raises(IntegrityError, match="not the sha256 0000"):
        zoo.pull("net.a", hub=served_hub.url, locked=True)


def test_name_that_is_not_locked(here: Path) -> None:
    with pytest.raises(NotFoundError, match="zoo pull net.a --lock"):
        zoo.load("net.a", locked=True)
