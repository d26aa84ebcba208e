"""Containers of weights that a plugin brings."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from tests.hooks.conftest import same
from zoo.errors import IntegrityError, PluginError, UsageError
from zoo.training.result import RunResult
from zoo.weights.formats import carried
from zoo.weights.tokenizer import read_tokenizer
from zoo.weights.tokenizer_training import make_tokenizer


def test_a_format_is_written_and_read(run: RunResult, tmp_path: Path, zoo_command: Any) -> None:
    out = tmp_path / "sounds.npz"
    zoo.export(run.folder, to="npz", out=out)
    assert same(zoo.load(out), zoo.load(run.folder))
    assert zoo.describe(out).architecture == "tone_net"
    done = zoo_command("export", str(run.folder), "--to", "npz", "--out", str(tmp_path / "again.npz"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.npz").read_bytes()[:2] == b"PK"
    with pytest.raises(UsageError, match="'npy' is not an export target; choose one of.*npz"):
        zoo.export(run.folder, to="npy", out=tmp_path / "x")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"neither"])
def test_a_file_that_a_format_cannot_read_is_named(extras: Any, tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(content)
    with pytest.raises(IntegrityError, match="broken.npz"):
        zoo.load(broken)


def test_a_format_that_fails_leaves_nothing(run: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zoo_extras_more

    def fail(weights: Path, out: Path) -> None:
        out.write_bytes(b"half")
        raise UsageError("there is no place for it")

    monkeypatch.setattr(zoo_extras_more.npz, "write", fail, raising=False)
    before = set(tmp_path.iterdir())
    with pytest.raises(UsageError, match="no place"):
        zoo.export(run.folder, to="npz", out=tmp_path / "x.npz")
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("what", ["open", "write"])
def test_a_format_that_breaks_is_named(
    run: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    import zoo_extras_more

    zoo.export(run.folder, to="npz", out=tmp_path / "x.npz")
    monkeypatch.setattr(zoo_extras_more.npz, what, lambda *arguments: 1 / 0, raising=False)
    with pytest.raises(PluginError, match="format 'npz' of zoo-extras 1.0 failed: ZeroDivisionError"):
        zoo.load(tmp_path / "x.npz") if what == "open" else zoo.export(run.folder, to="npz", out=tmp_path / "y.npz")


def test_a_folder_is_the_one_file_of_a_format_in_it(run: RunResult, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    zoo.export(run.folder, to="npz", out=folder / "sounds.npz")
    assert same(zoo.load(folder), zoo.load(run.folder))
    (folder / "other.npz").write_bytes((folder / "sounds.npz").read_bytes())
    with pytest.raises(IntegrityError, match="give that file itself"):
        zoo.load(folder)
    (folder / "sounds.npz").rename(folder / "model.npz")  # of several the one called so
    assert same(zoo.load(folder), zoo.load(run.folder))


def test_a_file_that_says_what_config_json_says_needs_no_layout(
    run: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zoo_extras_more

    out = zoo.export(run.folder, to="npz", out=tmp_path / "sounds.npz")
    config = json.loads((run.weights / "config.json").read_text())
    monkeypatch.setattr(zoo_extras_more.Archive, "config", config)
    monkeypatch.setattr(zoo_extras_more, "LAYOUTS", ())
    assert same(zoo.load(out), zoo.load(run.folder))
    assert zoo.describe(out) == zoo.describe(run.folder)
    monkeypatch.setattr(zoo_extras_more.Archive, "config", {"zoo": {**config["zoo"], "auto_map": 1}})
    with pytest.raises(IntegrityError, match="sounds.npz is not what zoo writes"):
        zoo.load(out)


def test_a_file_may_carry_what_others_have_beside_it(
    run: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zoo_extras_more

    out = zoo.export(run.folder, to="npz", out=tmp_path / "sounds.npz")
    assert carried(out) == {}
    text = (write_tokenizer(tmp_path) / "tokenizer.json").read_text()
    monkeypatch.setattr(zoo_extras_more.Archive, "files", {"tokenizer.json": text}, raising=False)
    (tmp_path / "tokenizer.json").write_text("another")
    assert read_tokenizer(out).json == text


def write_tokenizer(folder: Path) -> Path:
    make_tokenizer("bytes", ()).write(folder)
    return folder


def test_a_file_is_not_pushed_as_a_folder(run: RunResult, tmp_path: Path) -> None:
    out = zoo.export(run.folder, to="npz", out=tmp_path / "sounds.npz")
    with pytest.raises(UsageError, match="is one file of weights, and a push takes a folder .* hf upload me/sounds "):
        zoo.push(out, "me/sounds", hub=tmp_path / "hub")


def test_a_format_is_pulled_with_the_usual_files(extras: Any) -> None:
    from zoo.hub.selection import select

    found = select(["config.json", "model.npz", "model.bin"], (), everything=False)
    assert (found.kept, found.unusual) == (("config.json", "model.npz"), ("model.bin",))


def test_a_format_of_several_files_is_written_into_a_folder(run: RunResult, tmp_path: Path) -> None:
    out = zoo.export(run.folder, to="arrays", out=tmp_path / "out")
    assert {path.stem for path in out.iterdir()} == zoo.load(run.folder).state_dict().keys()
    with pytest.raises(UsageError, match="omit --dtype"):
        zoo.export(run.folder, to="arrays", out=tmp_path / "half", dtype="float16")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="is a file, and --to arrays writes a folder"):
        zoo.export(run.folder, to="arrays", out=tmp_path / "file")


def test_a_file_that_corrects_others_finds_them_and_takes_no_other(
    run: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import zoo_extras_more

    monkeypatch.chdir(tmp_path)
    first, base = tmp_path / "first" / "weights", zoo.BaseAddress(str(tmp_path / "first" / "weights"))
    out = zoo.export(run.folder, to="npz", out=tmp_path / "sounds.npz")
    monkeypatch.setattr(zoo_extras_more.Npz, "base", lambda self, path: base, raising=False)
    assert same(zoo.load(out), zoo.load(run.folder))
    assert "pinned in zoo.lock" in caplog.text
    assert zoo.describe(zoo.find_weights(out)).task == "tone-classification"
    alone, own = (model.state_dict() for model in (zoo.load(out, adapter=None), zoo.load(first)))
    assert all(torch.equal(tensor, own[name]) for name, tensor in alone.items())
    base = zoo.BaseAddress(str(run.weights))
    with pytest.raises(IntegrityError, match=r"and zoo\.lock pins"):
        zoo.load(out)
    Path("zoo.lock").unlink()
    base = zoo.BaseAddress(str(run.weights), sha256="0" * 64)
    with pytest.raises(IntegrityError, match=r"has other weights, .* than .*sounds\.npz pins as the base"):
        zoo.load(out)
    base = zoo.BaseAddress(str(run.weights), sha256=zoo.tensors_sha256(run.weights))
    zoo.load(out)
    assert not Path("zoo.lock").exists()
