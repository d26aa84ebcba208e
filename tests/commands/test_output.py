"""What is printed, whatever it comes from: a Hub, a plugin, weights, a run, a registry, the name of a file."""

import ast
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import zoo
from tests.answering import Answer, Answering, Asked
from tests.inference.text.tiny_writers import install as install_writers
from tests.inference.text.tiny_writers import make_weights as make_writer
from tests.test_printable import obeyed
from tests.tiny import install, make_weights
from zoo.cli import run
from zoo.commands.output import guarded_streams, print_line, print_text
from zoo.registry.registry import default_registry

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\u2066\x7f\rzoo: forged\u2028\u200b"
LINES = HOSTILE + "\nzoo: all is well"
COMMIT = "c" * 40

Say = Callable[..., str]
BYPASSES = [f"click.{name}" for name in ("echo", "secho", "prompt", "confirm", "echo_via_pager")] + [
    f"sys.{name}.write" for name in ("stdout", "stderr")
]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Return a function that runs a command, asserts that no terminal obeys what it prints, and returns that."""
    monkeypatch.chdir(tmp_path)

    def asked(*arguments: str, code: int = 0) -> str:
        found = run(arguments)
        said = capsys.readouterr()
        assert found == code, said.err
        assert not set(obeyed(said.out + said.err)) - {"\n", "\t"}
        assert "--debug" in arguments or "zoo: all is well" not in (said.out + said.err).splitlines()
        if "--json" in arguments:
            json.loads(said.out)
        return said.out + said.err

    return asked


def test_117_nothing_in_zoo_prints_elsewhere() -> None:
    """Only what is printed there is printed; the few others draw or write on their own account, and escape by hand."""
    root = Path(zoo.__file__).parent
    others = {"commands/output.py", "engine/progress.py", "inference/embedding/progress.py"}
    found = []
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("print", "input") or called in BYPASSES:
                found.append((str(path.relative_to(root)), called))
    assert {path for path, _ in found} <= others, found


class TestStreams:
    def test_117_a_line_is_a_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        with guarded_streams():
            print_line(LINES)
            print_line("日本語　text")
        assert capsys.readouterr().out.count("\n") == 2

    def test_117_text_keeps_its_lines(self, capsys: pytest.CaptureFixture[str]) -> None:
        with guarded_streams():
            print_text("a\n\tb\x1b[2J\n")
        assert capsys.readouterr().out == "a\n\tb\\x1b[2J\n"

    def test_117_whoever_prints(self, capsys: pytest.CaptureFixture[str]) -> None:
        import logging
        import traceback
        import warnings

        import click

        with guarded_streams():
            print(HOSTILE)
            print(HOSTILE, file=sys.stderr)
            click.echo(click.style(HOSTILE, fg="red"))
            click.echo(HOSTILE, err=True)
            logging.StreamHandler().emit(logging.makeLogRecord({"msg": HOSTILE}))
            sys.stderr.write(warnings.formatwarning(UserWarning(HOSTILE), UserWarning, "x", 1))
            try:
                raise ValueError(HOSTILE)
            except ValueError:
                traceback.print_exc()
        said = capsys.readouterr()
        assert not set(obeyed(said.out + said.err)) - {"\n"}
        assert said.out.count("evil") + said.err.count("evil") == 7

    def test_117_no_bytes_go_past(self) -> None:
        with guarded_streams():
            assert not hasattr(sys.stdout, "buffer")

    def test_bars_draw_where_somebody_watches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from tqdm import tqdm

        watched = Watched()
        monkeypatch.setattr(sys, "stderr", watched)
        with guarded_streams():
            with tqdm(total=3, desc=HOSTILE, file=sys.stderr, mininterval=0, leave=False, ascii=True) as outer:
                with tqdm(total=3, position=1, file=sys.stderr, mininterval=0, leave=False, ascii=True) as bar:
                    bar.update(2)
                outer.update(1)
            print("\x1b[2J and \rmore", file=sys.stderr)
        assert "\r" in watched.text and "\x1b[A" in watched.text
        assert not set(obeyed(watched.text.replace("\x1b[A", ""))) - {"\r", "\n"}
        assert r"\x1b[2J and \rmore" in watched.text


def test_117_a_question_at_a_terminal() -> None:
    code = (
        f"from zoo.commands.output import ask, guarded_streams\nwith guarded_streams(): ask({HOSTILE!r}, ['yes', 'no'])"
    )
    terminal, end = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", code], stdin=end, stdout=end, stderr=end)
    os.close(end)
    os.write(terminal, b"yes\n")
    said = b""
    with suppress(OSError):  # the terminal is gone when its process is
        while chunk := os.read(terminal, 4096):
            said += chunk
    os.close(terminal)
    assert process.wait() == 0
    assert b"evil" in said and not set(obeyed(said.decode())) - {"\r", "\n"}


class Watched:
    """A terminal."""

    encoding = "utf-8"
    text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "arguments",
    [
        ("info", LINES),
        (LINES,),
        ("pull", LINES),
        ("pull", f"hf://org/{LINES}"),
        ("pull", "hf://org/x", "--hub", LINES),
        ("push", LINES, "org/x"),
        ("push", ".", LINES),
        ("runs", "show", LINES),
        ("runs", "ls", LINES),
        ("evaluate", LINES, "--data", LINES),
        ("predict", LINES, LINES),
        ("pretrain", LINES, "--data", "x", "--out", "run"),
        ("verify", f"./{LINES}"),
        ("cache", "rm", LINES),
        ("registry", "remove", LINES),
        ("recipes", "show", LINES),
        ("list", f"--{LINES}"),
        ("hub", "stats", LINES),
        ("hub", "mirror", LINES, "other", LINES),
        ("tokenizer", "show", LINES),
        ("--debug", "info", LINES),
    ],
)
def test_117_what_was_typed(say: Say, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    code = run(arguments)
    capsys.readouterr()
    assert code in (2, 3, 5, 6)
    say(*arguments, code=code)


HUBS: dict[str, Answer] = {
    "an error": Answer(403, b"no", {"X-Error-Message": "\x1b]0;owned\x07 \x9b2J"}),
    "a code": Answer(404, b"no", {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "\x1b[2J"}),
    "a body": Answer(400, json.dumps({"error": LINES}).encode(), {"Content-Type": "application/json"}),
    "a page": Answer(500, HOSTILE.encode()),
    "another repo": Answer(body=json.dumps({"sha": COMMIT, "id": LINES}).encode()),
    "another commit": Answer(body=json.dumps({"sha": LINES, "id": "org/x"}).encode()),
    "another type": Answer(body=json.dumps({"sha": 1, LINES: LINES}).encode()),
    "a warning": Answer(403, b"no", {"X-HF-Warning": "\x1b]0;owned\x07; \x1b[2J\x9b"}),
    "elsewhere": Answer(302, headers={"Location": "ftp://\x1b[2J/\x9b\x7f"}),
    "no address": Answer(302, headers={"Location": "http://[\x1b[2J"}),
}


@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize(
    "arguments", [("pull", "hf://org/x"), ("registry", "search", "--registry", "hf://org/x"), ("hub", "mirror")]
)
def test_117_what_a_hub_says(
    say: Say, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, hub: str, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("zoo.hub.patience.Patience.attempts", 1)
    monkeypatch.setattr("zoo.hub.pull.default_patience", lambda: zoo_patience())
    with Answering(lambda _: HUBS[hub]).running() as answering:
        mirroring = (answering.url, "other", "org/x") if arguments[-1] == "mirror" else ("--hub", answering.url)
        code = run([*arguments, *mirroring])
        assert code in (3, 4, 5, 6), capsys.readouterr().err
        say(*arguments, *mirroring, code=code)


def zoo_patience() -> Any:
    from zoo.hub.patience import Patience

    return Patience(attempts=1)


def test_117_what_a_hub_lists(say: Say) -> None:
    def listing(asked: Asked) -> Answer:
        if "/tree/" in asked.path:
            items = [{"type": "file", "path": f"../{LINES}", "oid": "0" * 40, "size": 1}]
            return Answer(body=json.dumps(items).encode())
        return Answer(body=json.dumps({"sha": COMMIT, "id": "org/x"}).encode())

    with Answering(listing).running() as hub:
        say("pull", "hf://org/x", "--hub", hub.url, code=5)


PLUGIN = f"""
import zoo
HOSTILE = {LINES!r}
def model(**arguments): raise ValueError(HOSTILE)
@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="evil", family="cnn", summary=HOSTILE, target="zoo_evil:model",
                        task="image-classification", licence=HOSTILE)
@zoo.hookimpl
def zoo_commands():
    yield zoo.CommandSpec(name="shout", summary=HOSTILE, target="zoo_evil:shout")
import click
@click.command(help=HOSTILE)
def shout():
    print(HOSTILE.replace("\\n", ""))
    raise ValueError(HOSTILE)
"""


def test_117_what_plugins_say(say: Say, site: Any) -> None:
    site.install("zoo-evil", PLUGIN)
    site.install("zoo-broken", f"raise RuntimeError({LINES!r})", version="1\x1b[2J\x9b")
    site.install("zoo-narrow", "", requires=("zoo-hub>999",), entry_point="a\x1b[2J")
    default_registry.cache_clear()
    assert r"RuntimeError: \x1b]0;owned\x07" in say("plugins")
    for arguments in (("list",), ("list", "--models"), ("info", "evil"), ("plugins",)):
        say(*arguments)
        say(*arguments, "--json")
    say("--help")
    say("shout", "--help")
    say("shout", code=1)
    say("--debug", "shout", code=1)
    say("pretrain", "evil", "--data", "fashion_mnist_sample", "--out", "run", code=2)


def test_117_what_weights_say(say: Say, site: Any, tmp_path: Path) -> None:
    install(site)
    make_weights(tmp_path / "weights", labels=("cat" + LINES, "dog" + LINES))
    shutil.copy(PICTURE, picture := tmp_path / f"a{LINES.replace('/', '')}.png")
    assert r"dog\x1b]0;owned" in say("push", "weights", "me/x", "--hub", "hub", "--public", "--dry-run")
    assert r"\x1b]0;owned" in say("predict", "weights", str(picture))
    say("predict", "weights", str(picture), "--json")
    say("predict", "weights", str(picture), "--out", "drawn")
    card = (tmp_path / "weights" / "README.md").read_text(encoding="utf-8")
    assert not set(obeyed(card)) - {"\n"} and "zoo: all is well" not in card.splitlines()


def test_117_names_of_tensors_and_keys(say: Say, site: Any, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    install(site)
    make_weights(tmp_path / "weights")
    path = tmp_path / "weights" / "model.safetensors"
    tensors = load_file(path)
    save_file({**tensors, LINES: torch.zeros(1)}, path)
    assert r"\x1b]0;owned" in say("verify", "weights", code=5)
    save_file(tensors, path, metadata={"format": LINES})
    config = json.loads((tmp_path / "weights" / "config.json").read_text())
    for changed in ({**config["zoo"], LINES: 1}, {**config["zoo"], "task": LINES}, {**config["zoo"], "plugin": LINES}):
        (tmp_path / "weights" / "config.json").write_text(json.dumps({**config, "zoo": changed}))
        code = run(["verify", "weights"])
        say("verify", "weights", code=code)


def test_117_what_runs_say(say: Say, make_run: Any, tmp_path: Path) -> None:
    other = make_run(tmp_path / "runs" / "one", model=LINES, settings={LINES: LINES}, data={"name": LINES}).folder
    bad = make_run(tmp_path / "runs" / f"b{LINES.replace('/', '')}", command=LINES, recipe=LINES)
    bad.log({"event": "test", "step": 3, LINES: 1.0})
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "run.json").write_text(json.dumps({"kind": 1, LINES: LINES}))
    for arguments in (("ls", "runs"), ("show", str(bad.folder)), ("compare", str(other), str(bad.folder))):
        assert r"\x1b]0;owned" in say("runs", *arguments)
        say("runs", *arguments, "--json")
    say("runs", "compare", str(other), str(bad.folder), "--out", "curves.png")


def test_117_what_registries_say(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"config.json": {"sha256": "0" * 64, "size": 1}, LINES: {"sha256": "1" * 64, "size": 1}}
    entry = {
        **{"repo": "org/x", "revision": COMMIT, "files": files, "plugin": LINES, "task": LINES, "licence": LINES},
        **{"summary": LINES, "data": LINES, "scores": {LINES: 1.0}},
    }
    document = {"schema_version": 1, "weights": {"x.evil": entry, "x.refused": {LINES: 1}}}
    (tmp_path / "registry.json").write_text(json.dumps(document))
    monkeypatch.setenv("ZOO_REGISTRY", str(tmp_path / "registry.json"))
    default_registry.cache_clear()
    for arguments in (("registry", "search"), ("list", "--weights"), ("info", "x.evil")):
        assert "owned" in say(*arguments)
        say(*arguments, "--json")
    say("info", "x.refused", code=5)
    document["weights"] = {LINES: entry}
    (tmp_path / "registry.json").write_text(json.dumps(document))
    default_registry.cache_clear()
    say("list", code=5)


def test_117_what_is_written_keeps_its_lines_alone(
    say: Say, site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_writers(site)
    weights = str(make_writer(tmp_path / "writer", "continuing", kind="characters"))
    monkeypatch.setattr("zoo.inference.text.generate.Generate.stream", lambda *_, **__: iter(["a\n", HOSTILE, "\tb"]))
    said = say("generate", weights, "a bear")
    assert said.startswith("a\n\\x1b]0;owned") and said.endswith("\tb\n")
    say("tokenizer", "show", weights, "a" + HOSTILE)
    say("tokenizer", "show", weights, "a" + HOSTILE, "--json")


PICTURE = Path(__file__).parents[2] / "docs" / "hub" / "model.png"
