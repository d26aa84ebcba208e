"""Names that come from outside become no paths but below their folder, and never what other programs would run.

ZOO_OUTSIDE_NAMES says how many lists of names are tried.
"""

import hashlib
import json
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from tests.hub.lying import COMMIT, EXAMPLES, GOOD, LyingHub, registry, tree
from zoo.cli import run
from zoo.errors import IntegrityError, UsageError, ZooError
from zoo.hub.file_names import Fault, fault_of
from zoo.hub.listing import FileSelection
from zoo.hub.mirror import mirror
from zoo.hub.pull import pull_repo

ALL = FileSelection(everything=True)

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


def runs_elsewhere(name: str) -> bool:
    """Tell, in other words than what is tested, whether a written name is one of those that are not to be."""
    for part in name.split("/"):
        plain = "".join(c for c in unicodedata.normalize("NFKC", part) if unicodedata.category(c) != "Cf").casefold()
        if plain.startswith(".git") or plain.rstrip(" .") in PROGRAMS or plain.endswith((".pth", ".pyc", " ", ".")):
            return True
        if plain.partition(".")[0] in PROGRAMS or any(unicodedata.category(c) in ("Cc", "Cs") for c in part):
            return True
    return False


def test_115_any_list_of_names(outside: Path, lying: LyingHub, tmp_path: Path) -> None:
    """A pull of any list changes nothing outside of its folder and the cache, and writes nothing that would run."""
    cache, rounds, done = Path(constants.HF_HUB_CACHE), iter(range(10**9)), []

    @settings(max_examples=EXAMPLES, database=None, derandomize=EXAMPLES < 1000)
    @given(listed=lists, everything=st.booleans(), lone=st.booleans())
    def check(listed: list[str], everything: bool, lone: bool) -> None:
        listed = [name.replace("<outside>", str(outside)) for name in listed]
        number = next(rounds)
        lying.commit = f"{number:040x}"
        lying.files = {name: f"{number} {name!r}".encode() for name in listed}
        to = tmp_path / "to" / "folder"
        if to.exists():
            for path in sorted(to.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            to.rmdir()
        before = tree(tmp_path, but=(cache, to))
        with suppress(ZooError):
            done.append(
                pull_repo(
                    "org/thing", hub=lying.url, selection=FileSelection(everything=everything), to=None if lone else to
                ).files
            )
        after = tree(tmp_path, but=(cache, to))
        after.pop(str(to.parent), None)
        before.pop(str(to.parent), None)
        assert after == before
        snapshot = cache / "models--org--thing" / "snapshots" / lying.commit
        for folder in (to, snapshot):
            written = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()]
            assert not [name for name in written if runs_elsewhere(name)]
            assert len({name.casefold() for name in written}) == len(written)
            assert all((folder / name).read_bytes() == lying.files[name] for name in written)

    check()
    assert len(done) > EXAMPLES / 5 and sum(map(len, done)) > len(done) / 2, (
        "too few names were written to prove anything"
    )
    own = {path.relative_to(cache / "models--org--thing").parts[0] for path in cache.glob("models--org--thing/*")}
    assert own <= {"blobs", "snapshots", "refs", "zoo"}
    assert {path.name for path in cache.iterdir()} == {"models--org--thing"}


def test_115_a_registry_expects_no_names_that_run(lying: LyingHub, tmp_path: Path) -> None:
    for name in (".git/config", ".envrc", "../x"):
        with pytest.raises(IntegrityError, match="take it out of the registry"):
            zoo.pull("net.a", hub=lying.url, registry=registry(tmp_path, COMMIT, name))
    assert not lying.asked


@pytest.mark.parametrize("name", [".git/config", "sub/.GIT/HEAD", ".gitmodules", "a/.gitattributes", "g/git~1/x"])
@pytest.mark.parametrize("everything", [False, True])
def test_115_parts_of_git_end_the_pull(lying: LyingHub, tmp_path: Path, name: str, everything: bool) -> None:
    lying.files = {**GOOD, name: b"[core]\n\tfsmonitor = touch /tmp/x\n"}
    with pytest.raises(IntegrityError, match="git would take for its own"):
        pull_repo("org/thing", hub=lying.url, to=tmp_path / "to", selection=FileSelection(everything=everything))
    assert not (tmp_path / "to").exists()
    assert not Path(constants.HF_HUB_CACHE, "models--org--thing").exists()


def test_115_what_is_left_out_is_said(lying: LyingHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lying.files = {
        **GOOD, ".gitattributes": b"* filter=x", "modeling.py": b"run()", "pytorch_model.bin": b"\x80\x04.",
        ".envrc": b"run", "conftest.py": b"run()", "\x1b]0;t\x07.md": b"x", "a.md": b"1", "A.md": b"2",
    }  # fmt: skip
    command = ["pull", "hf://org/thing", "--hub", lying.url]
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


def test_115_everything_is_fetched_after_the_usual(lying: LyingHub) -> None:
    lying.files = {**GOOD, "modeling.py": b"run()"}
    assert pull_repo("org/thing", revision=COMMIT, hub=lying.url).unusual == ("modeling.py",)
    whole = pull_repo("org/thing", revision=COMMIT, hub=lying.url, selection=ALL)
    assert (len(whole.files), whole.unusual) == (3, ())
    assert pull_repo("org/thing", revision=COMMIT, selection=ALL, offline=True).files == whole.files


def test_everything_of_a_name_has_the_registry_s_hashes(lying: LyingHub, tmp_path: Path) -> None:
    lying.files = {**GOOD, "modeling.py": b"run()"}
    path = registry(tmp_path, COMMIT)
    values = json.loads(path.read_text())
    listed = values["weights"]["net.a"]["files"]["config.json"]
    with pytest.raises(IntegrityError):
        zoo.pull("net.a", hub=lying.url, registry=path, everything=True)
    listed["sha256"] = hashlib.sha256(GOOD["config.json"]).hexdigest()
    path.write_text(json.dumps(values))
    assert [file.name for file in zoo.pull("net.a", hub=lying.url, registry=path).files] == ["config.json"]
    whole = zoo.pull("net.a", hub=lying.url, registry=path, everything=True)
    assert [file.name for file in whole.files] == list(lying.files)
    with pytest.raises(UsageError, match="choose one"):
        zoo.pull("net.a", locked=True, everything=True)


@pytest.mark.parametrize("name", ["../../x", ".git/config", "/tmp/x", "a\x1b.md", "con"])
def test_115_a_mirror_takes_no_such_names(outside: Path, lying: LyingHub, served_hub: Any, name: str) -> None:
    lying.files, before = {**GOOD, name: b"x"}, tree(outside)
    with pytest.raises(IntegrityError, match="lists"):
        mirror(lying.url, served_hub.url, ["org/thing"], target_token=served_hub.token)
    assert tree(outside) == before


def test_a_mirror_keeps_what_others_would_run_as_bytes(lying: LyingHub, served_hub: Any, tmp_path: Path) -> None:
    lying.files = {**GOOD, ".envrc": b"run", "empty.md": b""}
    (copied,) = mirror(lying.url, served_hub.url, ["org/thing"], target_token=served_hub.token)
    assert copied.files == 4
    assert pull_repo("org/thing", hub=served_hub.url).forbidden == (".envrc",)
