"""Bytes as text, and where they are none."""

from pathlib import Path

from zoo.errors import DataError


def decoded(content: bytes, source: str | Path, *, at: int = 0, encoding: str = "utf-8") -> str:
    """Return the text of bytes that begin at place `at` of their source. Raise DataError where they are not UTF-8."""
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        place = at + error.start
        raise DataError(f"{source} is not UTF-8 at byte {place:,}; convert it, for example with iconv") from None
