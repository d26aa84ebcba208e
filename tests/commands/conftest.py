"""What a terminal would obey, and a command whose output is looked through for it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.test_printable import obeyed
from zoo.cli import run

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\u2066\x7f\rzoo: forged\u2028\u200b"
LINES = HOSTILE + "\nzoo: all is well"
COMMIT = "c" * 40

Say = Callable[..., str]


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
