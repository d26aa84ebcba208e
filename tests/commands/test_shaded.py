"""Shaded text: colors where somebody watches, and nothing that a terminal would obey of the text itself."""

import sys

import pytest

from zoo.commands.output import guarded_streams, print_shaded


class Terminal:
    def __init__(self) -> None:
        self.written = ""

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True


def shown(pieces: list[tuple[str, float]], monkeypatch: pytest.MonkeyPatch) -> str:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    with guarded_streams():
        print_shaded(pieces)
    return terminal.written


def test_strong_pieces_have_a_ground(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    found = shown([("much ", 1.0), ("none ", 0.0), ("against", -1.0)], monkeypatch)
    assert found == "\x1b[48;5;26;38;5;231mmuch \x1b[0mnone \x1b[0m\x1b[48;5;202;38;5;16magainst\x1b[0m\n"


def test_text_commands_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31m" not in shown([("\x1b[31mred", 0.0)], monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown([("much", 1.0)], monkeypatch) == "much\n"
