"""A Hub that lies to what else asks one: a mirror, a push, a data set."""

import contextlib
import itertools
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.lies import COMMITS, HASHES, JUNK, NAMES, PAIRS, TARGETS, _files
from tests.attacks.lying_hub import COMMIT, REPO, Lie, Reply, json_reply, listed, lying_hub, on
from tests.attacks.scale import LONG
from tests.attacks.test_lying_hub import impatient as impatient
from tests.attacks.test_lying_hub import run, written, wrong_with
from zoo.data.hub_files import find_files
from zoo.errors import ZooError
from zoo.hub.connection import connect
from zoo.hub.failures import hub_errors
from zoo.hub.push import push_folder


@pytest.fixture(autouse=True)
def own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep temporary folders where they are looked at, deep enough for names that lead out of them."""
    folder = tmp_path / "a" / "b" / "temporary"
    folder.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


def some(cases: Any, every: int) -> list[Any]:
    return [case for place, case in enumerate(cases) if LONG or place % every == 0]


def test_a_mirror_writes_nowhere_else(tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    faults = []
    named = [(name,) for name in NAMES if "\ud800" not in name] + list(PAIRS)
    for number, names in enumerate(some(named, 9)):
        before = written(tmp_path)
        with lying_hub(_files(*((name, b"lie\n") for name in names))) as hub:
            try:
                code, said = run("hub", "mirror", hub.url, str(tmp_path / f"hub-{number}"), REPO)
            except BaseException as error:
                faults.append(f"{names!a}: {type(error).__name__} {error}"[:300])
                continue
        if fault := wrong_with(code, said):
            faults.append(f"{names!a}: {fault}")
        new = [path for path, content in written(tmp_path).items() if before.get(path) != content]
        if elsewhere := [path for path in new if not path.startswith((f"hub-{number}/", "cache/"))]:
            faults.append(f"{names!a}: wrote {elsewhere[:3]!a}")
    assert not faults, "\n".join(faults)


def pushing_lies() -> Iterator[tuple[str, Lie]]:
    """Yield what a Hub may say to whoever pushes."""
    for where, junk in itertools.product(("/preupload/", "/commit/", "/repos/create", "/tree/", "/revision/"), JUNK):
        yield f"{where} is {junk[:20]!r}", on(where, Reply(body=junk))
    for commit in COMMITS:
        yield (
            f"commit {commit!a:.40}",
            on("/commit/", json_reply({"success": True, "commitOid": commit, "commitUrl": "x"})),
        )
    for mode in ("lfs", "xet", "", None, 3, "\x1b[2J"):
        yield f"mode {mode!a}", on("/preupload/", json_reply({"files": [{"path": "a.txt", "uploadMode": mode}]}))
    for oid in HASHES:
        yield f"listed as {oid!a:.40}", on("/tree/", json_reply([listed("a.txt", b"a", oid=oid)]))
    for place in TARGETS:
        yield f"upload to {place!a:.40}", _large({"actions": {"upload": {"href": place, "header": {}}}})
    for header in (
        {"chunk_size": "0", "1": "x"},
        {"chunk_size": "-1"},
        {"chunk_size": "x"},
        {"chunk_size": "1"},
        {"a": "b\r\nc: d"},
    ):
        yield (
            f"upload with {header!a}",
            _large({"actions": {"upload": {"href": "http://127.0.0.1:9/", "header": header}}}),
        )
    for item in (
        {"actions": None},
        {"actions": {}},
        {"actions": {"upload": None}},
        {"error": {"code": 1, "message": "\x1b[2J"}},
    ):
        yield f"an object of {item!a}", _large(item)


def _large(item: dict[str, Any]) -> Lie:
    """Say that a file goes by LFS, and this of the object."""

    def lie(asked: Any) -> Reply | None:
        if "/preupload/" in asked.path:
            return json_reply({"files": [{"path": "a.txt", "uploadMode": "lfs", "shouldIgnore": False}]})
        if "/info/lfs/" in asked.path:
            oid = json.loads(asked.body)["objects"][0]
            return json_reply({"transfer": "multipart", "objects": [{**oid, **item}]})
        return None

    return lie


def test_a_push_is_told_what_is_wrong(tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, faults = tmp_path / "folder", []
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client waits before it asks again
    lies = some(pushing_lies(), 5)
    for name, lie in lies:
        with lying_hub(lie) as hub, contextlib.redirect_stderr(None):
            before = written(tmp_path)
            try:
                push_folder(folder, REPO, hub=hub.url, message="m", private=False)
            except ZooError:
                pass
            except BaseException as error:
                faults.append(f"{name}: {type(error).__name__} {error}"[:300])
            if written(tmp_path) != before:
                faults.append(f"{name}: wrote something")
    assert not faults, f"{len(faults)} of {len(lies)}:\n" + "\n".join(faults)


@pytest.mark.parametrize(
    "name",
    [
        "../../../../../outside/train-0.parquet",
        "/outside/train-0.parquet",
        "..\\x\\train-0.parquet",
        "a/../../train-0.parquet",
    ],
)
def test_a_data_set_is_written_nowhere_else(
    name: str, tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "a" / "cache"))
    files = {name: b"PAR1"}
    before = written(tmp_path)
    with lying_hub(files=files) as hub, connect(hub.url) as connection:
        with contextlib.suppress(ZooError), hub_errors(REPO, None, hub.url):
            find_files(REPO, "", None, connection).download(connection)
    new = [path for path, content in written(tmp_path).items() if before.get(path) != content]
    assert not [path for path in new if not path.startswith("a/cache/datasets--org--thing/")], new
    assert not any("outside" in path for path in new)


def test_the_honest_one_is_mirrored_and_pushed_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with lying_hub() as hub:
        code, said = run("hub", "mirror", hub.url, str(tmp_path / "hub"), REPO)
        assert code == 0, said
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "config.json").write_bytes(b"{}")
    with lying_hub(files={"config.json": b"{}"}) as hub:
        assert push_folder(tmp_path / "folder", REPO, hub=hub.url, message="m", private=False).commit == COMMIT
