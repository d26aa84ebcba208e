"""Change what is right into what is almost right: bytes of any form, values of JSON."""

import json
import random
from typing import Any

from tests.fuzz.readers import changed

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, 2**31, 2**63, 2**64, 10**400, "", " ", ".", "..", "../../x", "/etc/passwd",
    "\0",
    "a\nb", "\x1b]0;x\x07", "\u202e", "\ud800", "a" * 5000, "a/" * 600, "refs/heads/main", "0" * 40, "0" * 64, "-x",
    "NaN",
    [], {}, [[]], [{}], {"": {}}, [None], ["a"] * 2000,
)  # fmt: skip


def spoilt(content: bytes, draw: random.Random, others: list[bytes]) -> bytes:
    """Return the content with something wrong: in its bytes, or, where it is JSON, in one to three of its values."""
    if draw.random() < 0.5:
        lines = content.split(b"\n")
        place = draw.randrange(len(lines))
        try:
            value = json.loads(lines[place])
        except ValueError:
            return changed(content, draw, others)
        for _ in range(draw.randint(1, 3)):
            value = _odd(value, draw)
        lines[place] = json.dumps(value).encode()
        return b"\n".join(lines)
    return changed(content, draw, others)


def _odd(value: Any, draw: random.Random) -> Any:
    """Return a value with one place in it, however deep, that is odd, gone, or there twice."""
    if isinstance(value, dict) and value and draw.random() < 0.9:
        key = draw.choice(sorted(value))
        match draw.randrange(8):
            case 0:
                return {other: kept for other, kept in value.items() if other != key}
            case 1:
                return {**value, draw.choice(["", "x", "\0", "__proto__", "../x"]): draw.choice(ODD)}
        return {**value, key: _odd(value[key], draw)}
    if isinstance(value, list) and value and draw.random() < 0.9:
        place = draw.randrange(len(value))
        if draw.random() < 0.2:
            return value * 3
        return [*value[:place], _odd(value[place], draw), *value[place + 1 :]]
    return draw.choice(ODD)
