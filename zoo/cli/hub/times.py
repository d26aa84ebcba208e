"""Times as people write them: 30s, 5m, 12h, 7d, 4w."""

import re

from zoo.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def seconds_of(text: str, option: str) -> float:
    """Return a time in seconds. Raise UsageError for what is none, of the option that has it."""
    match = re.fullmatch(r"(\d{1,6})([smhdw])", text, re.ASCII)
    if match is None:
        raise UsageError(f"{option} {text[:20]!r} is no time; write one such as 30s, 5m, 12h or 7d")
    return float(match[1]) * _UNITS[match[2]]
