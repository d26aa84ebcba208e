"""Read TOML that a stranger wrote, within bounds: it costs the parser the square of how many dots a key has."""

import tomllib
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError

MAX_BYTES = 5 * 1024 * 1024
_MAX_DOTS = 64


def read_toml(path: Path) -> dict[str, Any]:
    """Return the table that a file holds. Raise IntegrityError for anything else, FileNotFoundError without a file."""
    with open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise IntegrityError(f"{path} has more than {MAX_BYTES:,} bytes; get a fresh copy")
    if any(line.count(b".") > _MAX_DOTS for line in content.splitlines()):
        raise IntegrityError(f"{path} has more than {_MAX_DOTS} dots in a line; break it, or get a fresh copy")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # ValueError: no UTF-8, no TOML, or an integer of too many digits
        raise IntegrityError(f"{path} is not TOML: {error}; correct it, or get a fresh copy") from None
