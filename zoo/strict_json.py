"""Read JSON that a stranger wrote: bounded, free of duplicate keys and of numbers that are none, with line and column.

Used for registry.json and config.json, before msgspec checks the schema.
"""

import json
import math
import re
from typing import Any, NoReturn

from zoo.errors import IntegrityError

MAX_BYTES = 5 * 1024 * 1024
MAX_DEPTH = 32
MAX_TOKENS = 1_500_000


def parse_json(content: bytes, source: str, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return the object that the bytes hold.

    `source` names the file in messages. Raise IntegrityError for anything but one well-formed JSON object.
    """
    if len(content) > max_bytes:
        raise IntegrityError(
            f"{source} has {len(content):,} bytes, more than the {max_bytes:,} allowed; get a fresh copy"
        )
    if not content.strip():
        raise IntegrityError(f"{source}:1:1 is not JSON: the file is empty; get a fresh copy")
    depth, tokens = _structure(content)
    if depth > MAX_DEPTH:
        raise IntegrityError(f"{source} is nested {depth} deep, deeper than the {MAX_DEPTH} allowed; get a fresh copy")
    if tokens > MAX_TOKENS:
        raise IntegrityError(f"{source} holds more than the {MAX_TOKENS:,} values allowed; get a fresh copy")

    def refuse_constant(name: str) -> NoReturn:
        raise IntegrityError(f"{source} holds {name}, which is not valid JSON; write a finite number")

    def finite(text: str) -> float:
        if not math.isfinite(value := float(text)):
            raise IntegrityError(f"{source} holds {text}, which is not a finite number; write a finite number")
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
            content.decode("utf-8-sig"), object_pairs_hook=unique, parse_constant=refuse_constant, parse_float=finite
        )
    except UnicodeDecodeError as error:
        raise IntegrityError(f"{source} is not UTF-8 at byte {error.start}; get a fresh copy") from None
    except json.JSONDecodeError as error:
        raise IntegrityError(
            f"{source}:{error.lineno}:{error.colno} is not JSON: {error.msg}; get a fresh copy"
        ) from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise IntegrityError(f"{source} is not JSON: {error}; get a fresh copy") from None
    if _SURROGATE.search(content) and not _is_text(value):
        raise IntegrityError(f"{source} holds half of a character, a lone surrogate; get a fresh copy")
    if not isinstance(value, dict):
        raise IntegrityError(f"{source} holds a {type(value).__name__}, not an object; get a fresh copy")
    return value


def _is_text(value: Any) -> bool:
    """Tell whether every text in a value can be written."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _structure(content: bytes) -> tuple[int, int]:
    """Return the deepest nesting and the number of brackets and commas, by one pass: the parser would recurse.

    The count bounds the memory that the values can take; the pass ends as soon as it is too high.
    """
    deepest = depth = count = 0
    for match in _TOKEN.finditer(content):
        token = content[match.start()]
        if token in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token in b"]}":
            depth -= 1
        elif token == _QUOTE:
            continue
        count += 1
        if count > MAX_TOKENS:
            break
    return deepest, count


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_QUOTE = ord('"')
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?|[\[\]{},]', re.DOTALL)
"""A string, whole and without backtracking, or one character of structure."""
