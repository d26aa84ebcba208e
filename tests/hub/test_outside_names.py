"""Names and revisions that come from outside become no paths but below their folder, and never what others would run.

ZOO_OUTSIDE_NAMES says how many lists of names are tried.
"""

import hashlib
import json
import os
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from tests.hub.lying import COMMIT, LyingHub, lying_hub
from zoo.cli import run
from zoo.errors import IntegrityError, UsageError, ZooError
from zoo.hub.cache import Cache
from zoo.hub.cached import cached_commits, remove_commits
from zoo.hub.file_names import Fault, fault_of
from zoo.hub.mirror import mirror
from zoo.hub.pull import pull_repo
from zoo.hub.revisions import is_revision

EXAMPLES = int(os.environ.get("ZOO_OUTSIDE_NAMES", "150"))
GOOD = {"config.json": b"{}", "README.md": b"# Thing\n"}
PROGRAMS = {
    ".git", ".gitattributes", ".envrc", ".vscode", ".idea", ".devcontainer", "__pycache__", "sitecustomize.py",
    "usercustomize.py", "conftest.py", ".bashrc", ".env", ".npmrc", ".pypirc", "pip.conf", ".hg", ".svn", "con", "nul",
    "com1", ".pre-commit-config.yaml", "git~1",
}  # fmt: skip
"""Written out here once more: what is tested is not asked."""

parts = st.one_of(
    st.sampled_from(
        [*sorted(PROGRAMS), "..", ".", "", "a", "A", "b.md", "B.md", "config.json", "CONFIG.JSON", "x.py", "evil.pth",
         ".GIT", ".g\u200cit", ".git ", ".git::$INDEX_ALLOCATION", "NUL.txt", "a.", "a ", "\x1b[2J.md", "\ud800.md",
         "a\n.md", "C:", "a\\..\\b", "model.safetensors", ".eval_results", "refs", "blobs", "snapshots", "home", "work"]
    ),
    st.text(max_size=8),
)  # fmt: skip
names = st.lists(parts, min_size=1, max_size=4).map("/".join)
outward = st.builds(lambda up, name: "../" * up + name, st.integers(1, 5), names)
mild = names.filter(lambda name: fault_of(name) not in (Fault.OUTSIDE, Fault.GIT))
lists = st.one_of(
    st.lists(st.one_of(names, outward, st.just("<outside>/notes.txt")), min_size=1, max_size=6, unique=True),
    st.lists(st.one_of(mild, st.sampled_from(sorted(GOOD))), min_size=1, max_size=8, unique=True),
)
"""Lists with names that end a pull at once, and such whose rest is pulled."""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with things that nothing may touch; home and the working folder are in it."""
    folder = tmp_path / "outside"
    for name in ("home", "work"):
        (folder / name).mkdir(parents=True)
        (folder / name / "notes.txt").write_text("mine")
    (folder / "notes.txt").write_text("mine")
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.chdir(folder / "work")
    return folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LyingHub]:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with lying_hub() as served:
        served.files = dict(GOOD)
        yield served


def tree(folder: Path, *, but: tuple[Path, ...] = ()) -> dict[str, str | bytes]:
    """Return all that lies below a folder, with what is in it."""
    found: dict[str, str | bytes] = {}
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if Path(path, name) not in but]
        for name in [*folders, *files]:
            place = Path(path, name)
            found[str(place)] = (
                os.readlink(place) if place.is_symlink() else place.read_bytes() if name in files else ""
            )
    return found


def runs_elsewhere(name: str) -> bool:
    """Tell, in other words than what is tested, whether a written name is one of those that are not to be."""
    for part in name.split("/"):
        plain = "".join(c for c in unicodedata.normalize("NFKC", part) if unicodedata.category(c) != "Cf").casefold()
        if plain.startswith(".git") or plain.rstrip(" .") in PROGRAMS or plain.endswith((".pth", ".pyc", " ", ".")):
            return True
        if plain.partition(".")[0] in PROGRAMS or any(unicodedata.category(c) in ("Cc", "Cs") for c in part):
            return True
    return False


def test_115_any_list_of_names(outside: Path, hub: LyingHub, tmp_path: Path) -> None:
    """A pull of any list changes nothing outside of its folder and the cache, and writes nothing that would run."""
    cache, rounds, done = Path(constants.HF_HUB_CACHE), iter(range(10**9)), []

    @settings(max_examples=EXAMPLES, database=None, derandomize=EXAMPLES < 1000)
    @given(listed=lists, everything=st.booleans(), lone=st.booleans())
    def check(listed: list[str], everything: bool, lone: bool) -> None:
        listed = [name.replace("<outside>", str(outside)) for name in listed]
        number = next(rounds)
        hub.commit = f"{number:040x}"
        hub.files = {name: f"{number} {name!r}".encode() for name in listed}
        to = tmp_path / "to" / "folder"
        if to.exists():
            for path in sorted(to.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            to.rmdir()
        before = tree(tmp_path, but=(cache, to))
        with suppress(ZooError):
            done.append(pull_repo("org/thing", hub=hub.url, everything=everything, to=None if lone else to).files)
        after = tree(tmp_path, but=(cache, to))
        after.pop(str(to.parent), None)
        before.pop(str(to.parent), None)
        assert after == before
        snapshot = cache / "models--org--thing" / "snapshots" / hub.commit
        for folder in (to, snapshot):
            written = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()]
            assert not [name for name in written if runs_elsewhere(name)]
            assert len({name.casefold() for name in written}) == len(written)
            assert all((folder / name).read_bytes() == hub.files[name] for name in written)

    check()
    assert len(done) > EXAMPLES / 5 and sum(map(len, done)) > len(done) / 2, (
        "too few names were written to prove anything"
    )
    own = {path.relative_to(cache / "models--org--thing").parts[0] for path in cache.glob("models--org--thing/*")}
    assert own <= {"blobs", "snapshots", "refs", "zoo"}
    assert {path.name for path in cache.iterdir()} == {"models--org--thing"}


def test_116_any_revision(outside: Path, hub: LyingHub, tmp_path: Path) -> None:
    """Any revision is either git's or refused as a wrong argument, with nothing asked and nothing touched."""
    cache = Path(constants.HF_HUB_CACHE)
    pieces = st.sampled_from(
        ["..", ".", "/", "//", "a", "-", "@{", "\\", ".lock", "\0", "\n", " ", "~", "\ud800", "refs"]
    )
    revisions = st.lists(st.one_of(pieces, st.text(max_size=4)), max_size=6).map("".join)

    @settings(max_examples=EXAMPLES, database=None, derandomize=EXAMPLES < 1000)
    @given(
        revision=st.one_of(revisions, st.sampled_from([str(outside / "notes.txt"), "../../../../outside/notes.txt"]))
    )
    def check(revision: str) -> None:
        before, asked = tree(tmp_path, but=(cache,)), len(hub.asked)
        refs = cache / "models--org--thing" / "refs"
        with suppress(ZooError):
            pull_repo("org/thing", hub=hub.url, revision=revision)
        assert tree(tmp_path, but=(cache,)) == before
        if not is_revision(revision):
            with pytest.raises(UsageError):
                pull_repo("org/thing", hub=hub.url, revision=revision, offline=True)
            assert len(hub.asked) == asked
        assert all(
            ".." not in path.parts and is_revision(path.relative_to(refs).as_posix()) for path in refs.rglob("*")
        )

    check()


@pytest.mark.parametrize("way", ["address", "argument", "load", "lock", "registry", "--registry", "tag", "data"])
def test_116_every_way_a_revision_comes_in(way: str, outside: Path, hub: LyingHub, tmp_path: Path) -> None:
    bad, before = str(outside / "notes.txt"), tree(outside)
    with pytest.raises(UsageError):
        if way == "address":
            zoo.pull(f"hf://org/thing@{bad}", hub=hub.url)
        elif way == "argument":
            zoo.pull("org/thing", revision=bad, hub=hub.url)
        elif way == "load":
            zoo.load("hf://org/thing", revision="../../../x", hub=hub.url)
        elif way == "lock":
            zoo.pull("hf://org/thing@../../../x", hub=hub.url, lock=True, offline=True)
        elif way == "registry":
            zoo.pull("net.a", hub=hub.url, registry=f"hf://org/thing@{bad}")
        elif way == "--registry":
            from zoo.registries import add_weights

            add_weights("org/thing", "net.a", revision=bad, hub=hub.url, path=tmp_path / "registry.json")
        elif way == "tag":
            from zoo.hub.push import push_folder

            (tmp_path / "source").mkdir()
            (tmp_path / "source" / "config.json").write_text("{}")
            push_folder(tmp_path / "source", "org/new", hub=tmp_path / "own", message="first", tag="../x")
        else:
            from zoo.data.hub_files import parse

            parse(f"hf://datasets/org/thing@{bad}")
    assert tree(outside) == before
    assert not hub.asked


def test_116_at_the_shell(outside: Path, hub: LyingHub, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(outside)
    for revision in (outside / "notes.txt", "../../../x", "-x", "a@{0}", "a.lock", "a\x1b[2Jb"):
        assert run(["pull", f"hf://org/thing@{revision}", "--hub", hub.url]) == 2
        assert "\x1b" not in capsys.readouterr().err
    assert tree(outside) == before
    assert not hub.asked


def registry(folder: Path, revision: str, file: str = "config.json") -> Path:
    files = {file: {"sha256": "a" * 64, "size": 2}}
    entry = {"repo": "org/thing", "revision": revision, "files": files, "plugin": "p", "task": "t", "licence": "mit"}
    path = folder / "registry.json"
    path.write_text(json.dumps({"schema_version": 1, "weights": {"net.a": entry}}))
    return path


def test_116_a_registry_s_revision_is_its_fault(outside: Path, hub: LyingHub, tmp_path: Path) -> None:
    before = tree(outside)
    for revision in (str(outside / "notes.txt"), "../../../x", COMMIT + "\n"):
        with pytest.raises(IntegrityError, match="no revision"):
            zoo.pull("net.a", hub=hub.url, registry=registry(tmp_path, revision), allow_mutable=True)
    assert tree(outside) == before
    assert not hub.asked


def test_115_a_registry_expects_no_names_that_run(hub: LyingHub, tmp_path: Path) -> None:
    for name in (".git/config", ".envrc", "../x"):
        with pytest.raises(IntegrityError, match="take it out of the registry"):
            zoo.pull("net.a", hub=hub.url, registry=registry(tmp_path, COMMIT, name))
    assert not hub.asked


@pytest.mark.parametrize("name", [".git/config", "sub/.GIT/HEAD", ".gitmodules", "a/.gitattributes", "g/git~1/x"])
@pytest.mark.parametrize("everything", [False, True])
def test_115_parts_of_git_end_the_pull(hub: LyingHub, tmp_path: Path, name: str, everything: bool) -> None:
    hub.files = {**GOOD, name: b"[core]\n\tfsmonitor = touch /tmp/x\n"}
    with pytest.raises(IntegrityError, match="git would take for its own"):
        pull_repo("org/thing", hub=hub.url, to=tmp_path / "to", everything=everything)
    assert not (tmp_path / "to").exists()
    assert not Path(constants.HF_HUB_CACHE, "models--org--thing").exists()


def test_115_what_is_left_out_is_said(hub: LyingHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub.files = {
        **GOOD, ".gitattributes": b"* filter=x", "modeling.py": b"run()", "pytorch_model.bin": b"\x80\x04.",
        ".envrc": b"run", "conftest.py": b"run()", "\x1b]0;t\x07.md": b"x", "a.md": b"1", "A.md": b"2",
    }  # fmt: skip
    command = ["pull", "hf://org/thing", "--hub", hub.url]
    assert run([*command, "--to", str(tmp_path / "some")]) == 0
    said = capsys.readouterr().out
    line = next(line for line in said.splitlines() if line.startswith("left out"))
    assert "'modeling.py', 'pytorch_model.bin', which models do not come with (--all takes them)" in line
    for name in (".envrc", "conftest.py", "\\x1b]0;t\\x07.md", "a.md", "A.md"):
        assert name in line
    assert ".gitattributes" not in said
    assert "\x1b" not in said
    assert sorted(path.name for path in (tmp_path / "some").iterdir()) == sorted(GOOD)
    assert run([*command, "--all", "--to", str(tmp_path / "all")]) == 0
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == sorted(
        [*GOOD, "modeling.py", "pytorch_model.bin"]
    )
    assert "which models do not come with" not in capsys.readouterr().out
    again = pull_repo("org/thing", revision=COMMIT, offline=True)
    assert [file.name for file in again.files] == list(GOOD)
    assert again.unusual == ("modeling.py", "pytorch_model.bin")
    snapshot = Path(constants.HF_HUB_CACHE, "models--org--thing", "snapshots", COMMIT)
    assert sorted(path.name for path in snapshot.iterdir()) == sorted([*GOOD, "modeling.py", "pytorch_model.bin"])


def test_115_everything_is_fetched_after_the_usual(hub: LyingHub) -> None:
    hub.files = {**GOOD, "modeling.py": b"run()"}
    assert pull_repo("org/thing", revision=COMMIT, hub=hub.url).unusual == ("modeling.py",)
    whole = pull_repo("org/thing", revision=COMMIT, hub=hub.url, everything=True)
    assert (len(whole.files), whole.unusual) == (3, ())
    assert pull_repo("org/thing", revision=COMMIT, everything=True, offline=True).files == whole.files


def test_everything_of_a_name_has_the_registry_s_hashes(hub: LyingHub, tmp_path: Path) -> None:
    hub.files = {**GOOD, "modeling.py": b"run()"}
    path = registry(tmp_path, COMMIT)
    values = json.loads(path.read_text())
    listed = values["weights"]["net.a"]["files"]["config.json"]
    with pytest.raises(IntegrityError):
        zoo.pull("net.a", hub=hub.url, registry=path, everything=True)
    listed["sha256"] = hashlib.sha256(GOOD["config.json"]).hexdigest()
    path.write_text(json.dumps(values))
    assert [file.name for file in zoo.pull("net.a", hub=hub.url, registry=path).files] == ["config.json"]
    whole = zoo.pull("net.a", hub=hub.url, registry=path, everything=True)
    assert [file.name for file in whole.files] == list(hub.files)
    with pytest.raises(UsageError, match="choose one of them"):
        zoo.pull("net.a", locked=True, everything=True)


def test_a_cache_that_an_earlier_zoo_wrote(hub: LyingHub, tmp_path: Path) -> None:
    """It noted no list, and may hold names that are not written any more: they are not copied."""
    hub.files = {**GOOD, "modeling.py": b"run()"}
    pulled = pull_repo("org/thing", revision=COMMIT, hub=hub.url)
    path = Cache("org/thing").folder / "zoo" / f"{COMMIT}.json"
    record = json.loads(path.read_text())
    del record["listed"]
    record["files"].append({"name": ".envrc", "sha256": "a" * 64, "size": 2})
    (pulled.folder / ".envrc").write_text("ab")
    path.write_text(json.dumps({**record, "whole": True}))
    copied = pull_repo("org/thing", revision=COMMIT, offline=True, to=tmp_path / "to")
    assert sorted(file.name for file in copied.files) == sorted(path.name for path in (tmp_path / "to").iterdir())
    assert sorted(file.name for file in copied.files) == sorted(GOOD)
    assert len(pull_repo("org/thing", revision=COMMIT, hub=hub.url, everything=True).files) == 3


@pytest.mark.parametrize("commit", ["../../../x", "a" * 39, "A" * 40, "c" * 40 + "\n"])
def test_a_hub_s_commit_is_one(outside: Path, hub: LyingHub, commit: str) -> None:
    from zoo.data.hub_files import find_files
    from zoo.hub.connection import Connection

    hub.commit = commit
    with pytest.raises(IntegrityError, match="names no commit"):
        pull_repo("org/thing", hub=hub.url)
    hub.files = {"train-0.parquet": b"x"}
    with pytest.raises(IntegrityError, match="names no commit"):
        find_files("org/thing", "", None, Connection(hub.url))


def test_a_hub_s_hashes_and_sizes(hub: LyingHub, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (
        {"oid": "../../../../x"},
        {"oid": "a" * 64},
        {"size": -1},
        {"size": 2**63},
        {"lfs": {"oid": "..", "size": 1}},
    ):
        item: dict[str, Any] = {"type": "file", "path": "config.json", "oid": "a" * 40, "size": 2, **wrong}
        monkeypatch.setattr(hub, "listing", lambda item=item: [item])
        with pytest.raises(IntegrityError):
            pull_repo("org/thing", hub=hub.url)


@pytest.mark.parametrize("name", ["../../x", ".git/config", "/tmp/x", "a\x1b.md", "con"])
def test_115_a_mirror_takes_no_such_names(outside: Path, hub: LyingHub, served_hub: Any, name: str) -> None:
    hub.files, before = {**GOOD, name: b"x"}, tree(outside)
    with pytest.raises(IntegrityError, match="lists"):
        mirror(hub.url, served_hub.url, ["org/thing"], target_token=served_hub.token)
    assert tree(outside) == before


def test_116_a_mirror_takes_no_such_tags(hub: LyingHub, served_hub: Any) -> None:
    hub.tags = ["v1", "../../x"]
    with pytest.raises(IntegrityError, match="no revision"):
        mirror(hub.url, served_hub.url, ["org/thing"], target_token=served_hub.token)


def test_a_mirror_keeps_what_others_would_run_as_bytes(hub: LyingHub, served_hub: Any, tmp_path: Path) -> None:
    hub.files = {**GOOD, ".envrc": b"run", "empty.md": b""}
    (copied,) = mirror(hub.url, served_hub.url, ["org/thing"], target_token=served_hub.token)
    assert copied.files == 4
    assert pull_repo("org/thing", hub=served_hub.url).forbidden == (".envrc",)


@pytest.mark.parametrize(
    "place", ["", "blobs", "snapshots", f"snapshots/{COMMIT}", f"snapshots/{COMMIT}/pictures", "refs", "zoo"]
)
def test_links_in_the_cache_are_not_written_through(outside: Path, hub: LyingHub, place: str) -> None:
    hub.files = {**GOOD, "pictures/a.png": b"x"}
    link, before = Cache("org/thing").folder / place, tree(outside)
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    with pytest.raises(IntegrityError, match="holds links"):
        pull_repo("org/thing", hub=hub.url)
    assert tree(outside) == before


def test_a_planted_leftover_is_not_gone_on_with(outside: Path, hub: LyingHub) -> None:
    from tests.hub.lying import git_id

    blobs = Cache("org/thing").blobs
    blobs.mkdir(parents=True)
    for number, content in enumerate(hub.files.values()):
        (blobs / f"{git_id(content)}.free-{number}.incomplete").symlink_to(outside / "notes.txt")
    before = tree(outside)
    assert len(pull_repo("org/thing", hub=hub.url).files) == 2
    assert tree(outside) == before


def test_links_to_elsewhere_are_not_removed_through(outside: Path, hub: LyingHub) -> None:
    pulled = pull_repo("org/thing", hub=hub.url)
    (pulled.folder / "b.md").symlink_to(outside / "notes.txt")
    with pytest.raises(IntegrityError, match="is a link out of"):
        remove_commits(cached_commits())
    (pulled.folder / "b.md").unlink()
    assert (outside / "notes.txt").read_text() == "mine"
    assert remove_commits(cached_commits()).size
