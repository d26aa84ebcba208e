"""Texts as they are typed at the shell, where a file's name stands for the lines in it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from zoo.data.text_files import decoded, split_lines
from zoo.errors import DataError

_LONGEST_NAME = 255


def named_texts(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the texts that were typed, each named by itself, and the lines of files, named by file and line.

    Raise DataError for files that are not UTF-8, and where there is no text at all.
    """
    empty = True
    for argument in arguments:
        path = Path(argument)
        if len(argument) > _LONGEST_NAME or not path.is_file():
            lines = [(argument, argument)]
        else:
            told = split_lines(decoded(path.read_bytes(), path))
            lines = [(f"{path}:{number}", line) for number, line in enumerate(told, 1) if line.strip()]
        yield from lines
        empty = empty and not lines
    if empty:
        raise DataError("no text was given; pass a text, or a file with one text per line")
