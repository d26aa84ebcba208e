"""What is printed, whatever it comes from: streams, questions, what was typed."""

import ast
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import zoo
from tests.commands.conftest import HOSTILE, LINES, Say
from tests.test_printable import obeyed
from zoo.cli import run
from zoo.commands.output import guarded_streams, print_line, print_text

BYPASSES = [f"click.{name}" for name in ("echo", "secho", "prompt", "confirm", "echo_via_pager")] + [
    f"sys.{name}.write" for name in ("stdout", "stderr")
]


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


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_056_streams_that_are_closed(closed: str) -> None:
    command = f"{sys.executable} -m zoo plugins {closed}"
    environment = {**os.environ, "ZOO_LOAD_PLUGINS": ""}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=environment, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
