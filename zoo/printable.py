"""Text as it may be shown: nothing in it moves a cursor, turns the writing round, or cannot be seen."""

import re

_HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f"  # controls, escape sequences among them
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # turn the direction of writing
    r"\u2028\u2029"  # line ends that only some programs see
    r"\u00ad\u034f\u115f\u1160\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
    r"\ud800-\udfff]"  # bytes of file names that are no UTF-8, and other halves of characters
    # joiners, which scripts and emoji need, beside letters that do not
    r"|(?<=[!-~])[\u200c\u200d]|[\u200c\u200d](?=[!-~])"
)
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return text with everything that is not printable as an escape, such as \x1b or \u202e.

    With `lines` newlines and tabs stay: they are part of the layout, not of a name from outside.
    """
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(lambda match: match[0] if lines and match[0] in "\n\t" else _escaped(match[0]), text)


def _escaped(character: str) -> str:
    code = ord(character)
    return _SHORT.get(character) or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return how many of something there are, as people write it: 1 file, 2 files, 12,000 files; 1 box, 2 boxes."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
