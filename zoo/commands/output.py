"""All that is printed goes through here: text from outside does nothing to a terminal, and shows no secret."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO, cast

import click

from zoo.printable import counted as counted
from zoo.printable import printable
from zoo.redaction import without_secrets

_BAR = re.compile(r"\r?(?:\x1b\[A)*")
"""How a progress bar begins what it draws: at the line's beginning, or lines above."""
_BLUES, _ORANGES = (195, 153, 111, 69, 26), (230, 223, 216, 208, 202)


def print_line(text: object = "", *, err: bool = False, secret: bool = False) -> None:
    """Print one line, whatever is in the text. `secret` is said where a token is what was asked for."""
    shown = str(text) if secret else without_secrets(str(text))
    _write(printable(shown) + "\n", err)


def print_text(text: str, *, err: bool = False, secret: bool = False) -> None:
    """Print text whose line ends are meant, without adding one."""
    _write(printable(text if secret else without_secrets(text), lines=True), err)


def print_shaded(pieces: Sequence[tuple[str, float]]) -> None:
    """Print pieces of text on one line, each on a ground by its weight: blue up to 1, orange down to -1.

    Nothing is shaded where nobody watches, or $NO_COLOR is set.
    """
    colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    shown = [(printable(without_secrets(text)), weight) for text, weight in pieces]
    line = "".join(f"{_ground(weight)}{text}\x1b[0m" if colored else text for text, weight in shown)
    stream = sys.stdout.bare if isinstance(sys.stdout, _Guarded) else sys.stdout
    stream.write(line + "\n")
    stream.flush()


def _ground(weight: float) -> str:
    """Return what a terminal of 256 colors takes for a ground, and an ink that can be read on it."""
    if abs(weight) < 0.1:
        return ""
    shades = _BLUES if weight > 0 else _ORANGES
    shade = shades[min(int(abs(weight) * len(shades)), len(shades) - 1)]
    return f"\x1b[48;5;{shade};38;5;{231 if shade < 40 else 16}m"


def ask(question: str, choices: Sequence[str]) -> str:
    """Ask for one of the choices, until it is given. A terminal draws the question itself, past the streams."""
    return str(click.prompt(printable(without_secrets(question)), type=click.Choice(choices)))


def _write(text: str, err: bool) -> None:
    stream = sys.stderr if err else sys.stdout
    stream.write(text)
    stream.flush()


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Let nothing past that a terminal obeys, whoever prints: a library's warning, a traceback, a plugin's command.

    Standard error never shows a secret either. There progress bars draw, where somebody watches.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us (`>&-`); nobody reads
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
    before = sys.stdout, sys.stderr
    for stream in before:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no UTF-8 must not stop us
    sys.stdout = cast(TextIO, _Guarded(sys.stdout, _obeyed_by_nobody))
    sys.stderr = cast(TextIO, _Guarded(sys.stderr, _beside_bars if sys.stderr.isatty() else _told))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Guarded:
    """A stream of text that is changed on its way. It has no `buffer`: bytes would go past."""

    def __init__(self, stream: TextIO, change: Callable[[str], str]) -> None:
        self.bare = stream
        self._change = change

    def write(self, text: str) -> int:
        self.bare.write(self._change(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self.bare, name)


def _obeyed_by_nobody(text: str) -> str:
    return printable(text, lines=True)


def _told(text: str) -> str:
    return printable(without_secrets(text), lines=True)


def _beside_bars(text: str) -> str:
    drawing = _BAR.match(text)
    start = drawing.end() if drawing else 0
    return text[:start] + _told(text[start:])
