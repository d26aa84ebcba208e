"""Read JSON that a stranger wrote: bounded, free of duplicate keys and of numbers that are none, with line and column.

Used for registry.json and config.json, before msgspec checks the schema.
"""

import json
import math
from typing import Any, NoReturn

from zoo.errors import IntegrityError

MAX_BYTES = 5 * 1024 * 1024
MAX_DEPTH = 32


def parse_json(content: bytes, source: str, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return the object that the bytes hold.

    `source` names the file in messages. Raise IntegrityError for anything but one well-formed JSON object.
    """
    if len(content) > max_bytes:
        raise IntegrityError(
            f"{source} has {len(content):,} bytes, more than the {max_bytes:,} allowed; get a fresh copy"
        )
    if (depth := _depth(content)) > MAX_DEPTH:
        raise IntegrityError(f"{source} is nested {depth} deep, deeper than the {MAX_DEPTH} allowed; get a fresh copy")

    def refuse_constant(name: str) -> NoReturn:
        raise IntegrityError(f"{source} holds {name}, which JSON does not know; write a finite number")

    def finite(text: str) -> float:
        if not math.isfinite(value := float(text)):
            raise IntegrityError(f"{source} holds {text}, which is no finite number; write a finite number")
        return value

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in pairs:
            if key in values:
                raise IntegrityError(f"{source} has the key {key!r} twice; keep one of them")
            values[key] = value
        return values

    try:
        value = json.loads(
            content.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse_constant, parse_float=finite
        )
    except UnicodeDecodeError as error:
        raise IntegrityError(f"{source} is not UTF-8 at byte {error.start}; get a fresh copy") from None
    except json.JSONDecodeError as error:
        raise IntegrityError(
            f"{source}:{error.lineno}:{error.colno} is not JSON: {error.msg}; get a fresh copy"
        ) from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise IntegrityError(f"{source} is not JSON: {error}; get a fresh copy") from None
    if not isinstance(value, dict):
        raise IntegrityError(f"{source} holds a {type(value).__name__}, not an object; get a fresh copy")
    return value


def _depth(content: bytes) -> int:
    """Return the deepest nesting, by one pass over the brackets outside of strings: the parser would recurse."""
    pieces = content.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
    deepest = depth = 0
    for bracket in b"".join(pieces[::2]).translate(None, delete=_NOT_BRACKETS):
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
