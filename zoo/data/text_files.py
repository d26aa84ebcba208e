"""Text files, read in one way everywhere: UTF-8 without a byte order mark, in lines that end at \\n, \\r\\n or \\r."""

import io
from pathlib import Path

from zoo.errors import DataError
from zoo.files import is_special

MAX_BYTES = 16 * 1024 * 1024
"""The most that a list, or one picture's annotation, may have."""
_MARK = "\ufeff"


class Piped(str):
    """A line of standard input: to what reads texts it is one, and never a file's name."""


def decoded(content: bytes, source: str | Path, *, at: int = 0) -> str:
    """Return the text of bytes that begin at place `at` of their source. Raise DataError where they are not UTF-8."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        place = at + error.start
        raise DataError(f"{source} is not UTF-8 at byte {place:,}; convert it, for example with iconv") from None
    return text if at else text.removeprefix(_MARK)


def read_text(path: Path, *, maximum: int = MAX_BYTES) -> str:
    """Return the text of a small file. Raise DataError where it cannot be read, or is not small."""
    if is_special(path):
        raise DataError(f"{path} is a pipe or a device and no file; remove it")
    try:
        with open(path, "rb") as file:
            content = file.read(maximum + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; check it") from None
    if len(content) > maximum:
        raise DataError(f"{path} has more than {maximum:,} bytes; get a fresh copy")
    return decoded(content, path)


def split_lines(text: str, *, keep_ends: bool = False) -> list[str]:
    """Return the lines of a text; `str.splitlines` would end them at form feeds, U+0085 and U+2028 too."""
    if keep_ends:
        return list(io.StringIO(text, newline=""))
    return [line.removesuffix("\n") for line in io.StringIO(text, newline=None)]
