"""A Hub that lies, and the command that pulls from it: nothing is written elsewhere, run, or shown raw."""

import contextlib
import hashlib
import io
import logging
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.lies import all_lies
from tests.attacks.lying_hub import REPO, Asked, LyingHub, Reply, lying_hub
from tests.attacks.scale import LONG
from zoo.hub.retry_policy import RetryPolicy

QUICK = RetryPolicy(stall=5, attempts=2, pause=0.001, longest_pause=0.01)
TOKEN = "zoo_" + "t" * 40
LIES = list(all_lies())
SAMPLES = LIES if LONG else [lie for place, lie in enumerate(LIES) if lie[0].startswith("name") or place % 5 == 0]
GROUPS = 8
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
RUN_BY_OTHERS = {
    ".envrc", ".vscode", ".idea", "__pycache__", "sitecustomize.py", "usercustomize.py", "conftest.py", "git~1",
    ".bashrc",
    ".ssh", ".netrc", ".npmrc", ".zshenv", ".pre-commit-config.yaml", "desktop.ini", "autorun.inf", "makefile",
}  # fmt: skip
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("zoo.hub.pull.default_retry_policy", lambda: QUICK)
    monkeypatch.setattr("zoo.hub.push.default_retry_policy", lambda: QUICK)
    # every command makes a client, and reading the web's certificates takes half of its time; all here is plain HTTP
    monkeypatch.setattr("ssl.SSLContext.load_verify_locations", lambda *arguments, **named: None)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def means_something_elsewhere(path: str) -> bool:
    """Tell whether another program would run or read a file of this name as its own, or would take it for another."""
    for part in path.split("/"):
        folded = unicodedata.normalize("NFKC", part).casefold()
        folded = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")
        bare = folded.split(":")[0].rstrip(". ")
        if bare.startswith(".git") and path != ".gitattributes" or bare in RUN_BY_OTHERS or DEVICES.fullmatch(bare):
            return True
        if bare.endswith((".pth", ".pyc")) or part != part.rstrip(". ") or STEERING.search(part):
            return True
    return False


def written(folder: Path) -> dict[str, str]:
    """Return every file and link below a folder with what it holds."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_symlink() or path.is_file():
            content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
    return found


def run(*arguments: str) -> tuple[int, str]:
    """Run `zoo`; return its exit code and all that it printed."""
    from zoo.cli import run as run_command

    logging.getLogger("zoo").handlers.clear()
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run_command(list(arguments))
    return code, said.getvalue()


def wrong_with(code: int, said: str) -> str | None:
    """Return what a command must not do, whatever the Hub says."""
    if code not in (0, 2, 3, 4, 5, 6, 7) or "unexpected" in said or "Traceback" in said:
        return f"exit code {code}: {said[:300]!a}"
    if found := STEERING.search(said):
        return f"{found[0]!a} reaches the terminal: {said[:300]!a}"
    if code and len(said.strip().split("\n")) != 1:
        return f"more than one line: {said[:300]!a}"
    return None


@pytest.mark.parametrize("group", range(GROUPS))
def test_whatever_the_hub_says(group: int, tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    faults = []
    for number, (name, lie) in enumerate(SAMPLES[group::GROUPS]):
        place = tmp_path / f"pull-{number}"
        place.mkdir()
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(place / "cache"))
        before = written(outside.parent)
        with lying_hub(lie) as hub:
            try:
                code, said = run("pull", f"hf://{REPO}", "--hub", hub.url, "--to", str(place / "to"))
            except BaseException as error:
                faults.append(f"{name}: {type(error).__name__} {error}"[:300])
                continue
        if fault := wrong_with(code, said):
            faults.append(f"{name}: {fault}")
        new = {path for path, content in written(outside.parent).items() if before.get(path) != content}
        inside = f"{place.name}/"
        if elsewhere := [
            path for path in new if not path.startswith((f"{inside}to/", f"{inside}cache/models--org--thing"))
        ]:
            faults.append(f"{name}: wrote {elsewhere[:3]!a}")
        names = {path.removeprefix(f"{inside}to/") for path in new if path.startswith(f"{inside}to/")}
        names |= {path.partition("/snapshots/")[2].partition("/")[2] for path in new if "/snapshots/" in path}
        if bad := sorted(filter(means_something_elsewhere, names)):
            faults.append(f"{name}: left {bad[:3]!a}")
        if len({unicodedata.normalize("NFC", path).casefold() for path in names}) != len(names):
            faults.append(f"{name}: left names that are one on other disks")
        if place.joinpath("to").exists() != (code == 0):
            faults.append(f"{name}: exit code {code}, and the folder is {'there' if code else 'missing'}")
    assert not faults, f"{len(faults)} of {len(SAMPLES[group::GROUPS])}:\n" + "\n".join(faults)
    assert len(SAMPLES) >= 200 and len(LIES) >= 750


def test_the_honest_one_is_pulled_from(tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with lying_hub() as hub:
        code, said = run("pull", f"hf://{REPO}", "--hub", hub.url, "--to", str(tmp_path / "to"))
        assert code == 0, said
        assert written(tmp_path / "to") == {
            name: hashlib.sha256(content).hexdigest() for name, content in hub.files.items()
        }


REVISIONS = (
    "../../../x", "/etc/hostname", "a/../b", "..", ".", "-x", "a b", "a\nb", "a\x1b[2J", "a..b", "a@{1}", "x.lock",
    "a//b",
    "a/", "/a", "a~1", "a^", "a:b", "a?b", "a*b", "a[b", "a\\b", "@", "refs/../x", "\ud800", "x" * 2000,
    "\u202emain", "a\0b",
)  # fmt: skip


@pytest.mark.parametrize("revision", REVISIONS)
def test_116_a_revision_is_no_path(
    revision: str, tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with lying_hub() as hub:
        targets = [revision, str(outside / "notes.txt")] if revision.startswith("/etc") else [revision]
        for target in targets:
            before = written(outside)
            code, said = run("pull", f"hf://{REPO}@{target}", "--hub", hub.url)
            assert (code, wrong_with(code, said)) == (2, None), said
            assert written(outside) == before
        assert not hub.asked, "it is refused before anybody is asked"
    assert not (tmp_path / "cache").exists()


@pytest.fixture
def elsewhere() -> Iterator[LyingHub]:
    """Run a second server, to which no token may go."""
    with LyingHub().running() as other:
        yield other


@pytest.mark.parametrize("where", ["/resolve/", "/revision/", "/tree/"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_token_leaves_for_another_host(
    where: str, status: int, elsewhere: LyingHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))

    def lie(asked: Asked) -> Reply | None:
        place = elsewhere.elsewhere + asked.path
        return Reply(status, (("Location", place),)) if where in asked.path else None

    with lying_hub(lie) as hub:
        code, said = run("pull", f"hf://{REPO}", "--hub", hub.url)
    assert wrong_with(code, said) is None
    assert hub.asked and elsewhere.asked, "the redirect was followed"
    assert any(TOKEN in asked.headers.get("authorization", "") for asked in hub.asked)
    assert not [asked for asked in elsewhere.asked if TOKEN in str(asked.headers)]
