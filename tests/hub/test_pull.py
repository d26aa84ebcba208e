"""Pull from a real Hub over loopback: right to the byte, or not at all."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants, hf_hub_download, scan_cache_dir

from tests.hub.lying import LyingHub
from zoo.cli import run
from zoo.errors import AuthorizationError, IntegrityError, NetworkError, NotFoundError, UsageError
from zoo.hub.connection import connect
from zoo.hub.listing import FileSelection
from zoo.hub.pull import pull_repo
from zoo.hub.push import push_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    (source / "pictures").mkdir(parents=True)
    (source / "README.md").write_text("---\nlicense: mit\ntags:\n- zoo\n---\n# Thing\n")
    (source / "config.json").write_text("{}")
    (source / "model.safetensors").write_bytes(os.urandom(300_000))
    (source / "pictures" / "grid.png").write_bytes(b"\x89PNG" + os.urandom(100))
    return source


def size_of(path: Path) -> int:
    """Return the size of a file that the pull may rename at any moment; 0 where it has."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def everything(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file() or path.is_symlink()]


def test_what_was_pushed_comes_back(folder: Path, served_hub: Any) -> None:
    pushed = push_folder(folder, "org/thing", hub=served_hub.url, message="first", tag="v1")
    pulled = pull_repo("org/thing", hub=served_hub.url, revision="v1")
    assert pulled.commit == pushed.commit
    assert {file.name: file.sha256 for file in pulled.files} == {file.name: file.sha256 for file in pushed.files}
    for file in pulled.files:
        assert (pulled.folder / file.name).read_bytes() == (folder / file.name).read_bytes()


def test_unchanged_push_makes_no_commit(folder: Path, served_hub: Any) -> None:
    first = push_folder(folder, "org/thing", hub=served_hub.url, message="first")
    again = push_folder(folder, "org/thing", hub=served_hub.url, message="again")
    assert (again.commit, again.changed) == (first.commit, False)


def test_other_tools_see_the_same_files(folder: Path, served_hub: Any) -> None:
    push_folder(folder, "org/thing", hub=served_hub.url, message="first")
    pulled = pull_repo("org/thing", hub=served_hub.url)
    cache = constants.HF_HUB_CACHE
    found = hf_hub_download("org/thing", "model.safetensors", local_files_only=True, cache_dir=cache)
    assert Path(found) == pulled.folder / "model.safetensors"
    report = scan_cache_dir(cache)
    assert [repo.repo_id for repo in report.repos] == ["org/thing"]
    assert not report.warnings


def test_a_commit_in_the_cache_asks_no_hub(folder: Path, served_hub: Any) -> None:
    commit = push_folder(folder, "org/thing", hub=served_hub.url, message="first").commit
    pull_repo("org/thing", hub=served_hub.url)
    assert pull_repo("org/thing", hub="http://127.0.0.1:9", revision=commit).commit == commit


def test_to_gives_plain_files(folder: Path, served_hub: Any, tmp_path: Path) -> None:
    push_folder(folder, "org/thing", hub=served_hub.url, message="first")
    pull_repo("org/thing", hub=served_hub.url, to=tmp_path / "plain")
    assert not (tmp_path / "plain" / "model.safetensors").is_symlink()
    with pytest.raises(UsageError, match="not empty"):
        pull_repo("org/thing", hub=served_hub.url, to=tmp_path / "plain")


@pytest.mark.parametrize("place", [0, 150_000, 299_999])
def test_a_flipped_byte_leaves_nothing(folder: Path, served_hub: Any, tmp_path: Path, place: int) -> None:
    push_folder(folder, "org/thing", hub=served_hub.url, message="first")
    right = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    blob = served_hub.folder / "blobs" / right[:2] / right[2:4] / right
    content = bytearray(blob.read_bytes())
    content[place] ^= 1
    blob.chmod(0o644)
    blob.write_bytes(content)
    with pytest.raises(IntegrityError) as caught:
        pull_repo("org/thing", hub=served_hub.url)
    assert caught.value.exit_code == 5
    for said in ("model.safetensors", right, hashlib.sha256(content).hexdigest()):
        assert said in str(caught.value)
    left = [path for path in everything(tmp_path / "cache") if "snapshots" in path.parts or "refs" in path.parts]
    assert not left
    assert not [path for path in everything(tmp_path / "cache") if path.name.startswith(right)]


def test_another_hash_than_the_registry_s(folder: Path, served_hub: Any) -> None:
    push_folder(folder, "org/thing", hub=served_hub.url, message="first")
    changed = FileSelection(expected={"model.safetensors": ("0" * 64, 300_000)})
    with pytest.raises(IntegrityError, match="not the sha256"):
        pull_repo("org/thing", hub=served_hub.url, selection=changed)
    unknown = FileSelection(expected={"other.bin": ("0" * 64, 3)})
    with pytest.raises(IntegrityError, match="lacks 'other.bin'"):
        pull_repo("org/thing", hub=served_hub.url, selection=unknown)


def test_files_beside_those_expected_come_where_they_are(folder: Path, served_hub: Any) -> None:
    pushed = push_folder(folder, "org/thing", hub=served_hub.url, message="first")
    content = (folder / "model.safetensors").read_bytes()
    expected = {"model.safetensors": (hashlib.sha256(content).hexdigest(), len(content))}
    named = FileSelection(expected=expected)
    alone = pull_repo("org/thing", revision=pushed.commit, hub=served_hub.url, selection=named)
    assert [file.name for file in alone.files] == ["model.safetensors"]
    named = FileSelection(expected=expected, beside=("config.json", "tokenizer.json"))
    more = pull_repo("org/thing", revision=pushed.commit, hub=served_hub.url, selection=named)
    assert sorted(file.name for file in more.files) == ["config.json", "model.safetensors"]
    assert (more.folder / "config.json").read_text() == "{}"
    again = pull_repo("org/thing", revision=pushed.commit, selection=named, offline=True)
    assert {file.name for file in again.files} == {"config.json", "model.safetensors"}


def test_killed_in_the_middle_then_pulled(folder: Path, served_hub: Any, tmp_path: Path) -> None:
    (folder / "model.safetensors").write_bytes(os.urandom(64_000_000))
    push_folder(folder, "org/thing", hub=served_hub.url, message="first")
    code = f"from zoo.hub.pull import pull_repo; pull_repo('org/thing', hub={served_hub.url!r})"
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "cache")}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    blobs = tmp_path / "cache" / "models--org--thing" / "blobs"
    deadline = time.monotonic() + 60
    try:
        while not any(size_of(path) > 1_000_000 for path in blobs.glob("*.incomplete")):
            assert process.poll() is None, "the pull ended before it could be killed"
            assert time.monotonic() < deadline
    finally:
        process.kill()
        process.wait()
    assert not (tmp_path / "cache" / "models--org--thing" / "snapshots").exists()
    pulled = pull_repo("org/thing", hub=served_hub.url)
    assert (pulled.folder / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_073_what_does_not_exist_has_its_own_message(folder: Path, served_hub: Any) -> None:
    push_folder(folder, "org/thing", hub=served_hub.url, message="first")
    with pytest.raises(NotFoundError, match="no repo org/nothing"):
        pull_repo("org/nothing", hub=served_hub.url)
    with pytest.raises(NotFoundError, match="no revision 'v9'"):
        pull_repo("org/thing", hub=served_hub.url, revision="v9")


def test_074_wrong_token(folder: Path, served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(AuthorizationError) as caught:
        push_folder(folder, "org/thing", hub=served_hub.url, message="first")
    assert "hf_wrong" not in str(caught.value)


def test_private_repos_are_hidden(folder: Path, served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    push_folder(folder, "org/thing", hub=served_hub.url, message="first", private=True)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(NotFoundError, match="no repo org/thing"):
        pull_repo("org/thing", hub=served_hub.url)


def test_nobody_listens() -> None:
    with pytest.raises(NetworkError, match="cannot be reached"):
        pull_repo("org/thing", hub="http://127.0.0.1:9")


def test_folder_without_a_hub(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no Hub in the folder"):
        pull_repo("org/thing", hub=tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["conftest.py", "__pycache__/a.pyc", "con.txt", "a\x1b.md"])
def test_115_what_no_pull_would_write_is_not_pushed(folder: Path, served_hub: Any, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("x")
    with pytest.raises(UsageError, match="no pull would write it; take it out"):
        push_folder(folder, "org/thing", hub=served_hub.url, message="first")


@pytest.mark.parametrize("repo", ["../x", "a/b/c", "thing", "org/thing--x", "org/..", "org/thing.git"])
def test_bad_repo_ids(repo: str) -> None:
    with pytest.raises(UsageError):
        pull_repo(repo, hub="http://127.0.0.1:9")


def test_a_file_of_a_petabyte_is_refused_before_anything_is_fetched(
    lying: LyingHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declared = lying.listing()
    declared[0]["size"] = 2**50
    lying.listing = lambda: declared  # type: ignore[method-assign]
    assert run(["pull", "hf://org/thing", "--hub", lying.url, "--to", str(tmp_path / "to")]) == 7
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("zoo: org/thing takes 1,125,899,906.8 MB and the disk of ") and "free some" in said
    assert not [path for path in lying.asked if "/resolve/" in path] and not (tmp_path / "to").exists()


@pytest.fixture
def hub_folder(folder: Path, served_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Push the folder to a Hub in the folder `own`, which nobody serves, and return that."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HF_TOKEN")
    assert push_folder(folder, "me/thing", hub="own", message="first", private=False).url == "own"
    return "own"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("hf://me/none", "no repo me/none on own; check the name"),
        ("hf://me/thing@v9", "me/thing has no revision 'v9'; leave it out for the newest"),
    ],
)
def test_a_hub_in_a_folder_is_called_by_its_folder(
    hub_folder: str, source: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has another address each time, at which nobody answers afterwards."""
    assert run(["pull", source, "--hub", hub_folder]) == 3
    assert capsys.readouterr().err == f"zoo: {said}\n"


def test_errors_of_any_kind_call_a_hub_by_its_folder(hub_folder: str) -> None:
    with pytest.raises(IntegrityError, match=r"^own leads back; tell own's owner$"), connect(hub_folder) as connection:
        raise IntegrityError(f"{connection.url} leads back; tell {connection.url}'s owner")
