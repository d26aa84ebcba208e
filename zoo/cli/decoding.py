"""The options of the commands that write text, and the texts that are typed or piped to them."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from zoo.data.text_files import Piped, decoded, split_lines
from zoo.errors import DataError, UsageError

Command = Callable[..., Any]
_LONGEST_NAME = 255

_OPTIONS: dict[str, dict[str, Any]] = {
    "max_new_tokens": {"type": int, "help": "Maximum number of new tokens; default: 128, or half of the context."},
    "beams": {"type": int, "help": "Beam search with so many beams."},
    "length_penalty": {"type": float, "help": "For beam search: above 0 favours long texts, below 0 short ones."},
    "temperature": {"type": float, "help": "Sampling temperature; default: 0, greedy decoding."},
    "top_k": {"type": int, "help": "Sample from the so many most likely tokens."},
    "top_p": {"type": float, "help": "Sample from the smallest set of tokens with this total probability."},
    "repetition_penalty": {"type": float, "help": "Above 1: make tokens that are already present less likely."},
    "stop": {"multiple": True, "metavar": "TEXT", "help": "Stop before this string; may be repeated."},
    "seed": {"type": int, "help": "Random seed for sampling; default: 0."},
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
    return piped().removesuffix("\n") if text == "-" else _text(text)


def lines(texts: Sequence[str]) -> list[str]:
    """Return texts, with the lines of standard input in place of a `-`."""
    return [line for text in texts for line in (split_lines(piped()) if text == "-" else [_text(text)])]


def items(arguments: Sequence[str]) -> list[str]:
    """Return what was typed, with the lines of standard input that are not empty in place of a `-`.

    Raise DataError where there are none.
    """
    found: list[str] = []
    for argument in arguments:
        found += [Piped(line) for line in split_lines(piped()) if line.strip()] if argument == "-" else [argument]
    if arguments and not found:
        raise DataError("standard input is empty; pipe something, one item a line")
    return found


def _text(text: str) -> str:
    """Return a text. Raise UsageError for what names a file, which is not opened."""
    from zoo.data.text.typed import check_is_text

    if len(text) < _LONGEST_NAME and Path(text).is_file():
        raise UsageError(f"{text} is a file, and this takes a text; pass `-` and pipe it: < {text}")
    check_is_text(text)
    return text


def piped() -> str:
    """Return standard input. Raise DataError where it is not UTF-8."""
    return decoded(sys.stdin.buffer.read(), "standard input")
