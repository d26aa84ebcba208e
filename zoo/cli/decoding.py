"""The options of the commands that write text, and the texts that are typed or piped to them."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from zoo.data.text.utf8 import decoded

Command = Callable[..., Any]

_OPTIONS: dict[str, dict[str, Any]] = {
    "max_new_tokens": {"type": int, "help": "Write at most so many tokens; default: 128, or half of the context."},
    "beams": {"type": int, "help": "Search for the likeliest text with so many beginnings at a time."},
    "length_penalty": {"type": float, "help": "Of beams: above 0 favours long texts, below 0 short ones."},
    "temperature": {"type": float, "help": "Draw tokens, the more boldly the higher; default: 0, the likeliest one."},
    "top_k": {"type": int, "help": "Draw from so many of the likeliest tokens."},
    "top_p": {"type": float, "help": "Draw from the fewest tokens that have so much of the probability."},
    "repetition_penalty": {"type": float, "help": "Above 1: make what is there already less likely."},
    "stop": {"multiple": True, "metavar": "TEXT", "help": "End before this text; may be given several times."},
    "seed": {"type": int, "help": "Decides what is drawn; default: 0."},
}


def decoding(*names: str) -> Callable[[Command], Command]:
    """Add options that say how text is written, all of them or those named."""

    def add(function: Command) -> Command:
        for name in reversed(names or tuple(_OPTIONS)):
            function = click.option(f"--{name.replace('_', '-')}", name, **_OPTIONS[name])(function)
        return function

    return add


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in values.items() if value is not None and value != ()}


def one_text(text: str) -> str:
    """Return a text, that of standard input for `-`, without the newline at its end."""
    return piped().removesuffix("\n") if text == "-" else text


def lines(texts: Sequence[str]) -> list[str]:
    """Return texts, with the lines of standard input in place of a `-`."""
    return [line for text in texts for line in (piped().splitlines() if text == "-" else [text])]


def piped() -> str:
    """Return standard input. Raise DataError where it is not UTF-8."""
    return decoded(sys.stdin.buffer.read(), "standard input")
