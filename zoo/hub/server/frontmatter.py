"""The YAML at the head of a card: data from a stranger, bounded in size, depth and aliases before it is built."""

import json
import re
from typing import Any

import yaml

MAX_FRONT_MATTER = 64 * 1024
_MAX_DEPTH = 32
_LONG_NUMBER = re.compile(r"[-+]?(0[xb][0-9a-fA-F_]{100,}|[0-9][0-9_:.]{100,})")
_RULE = re.compile(r"^---[^\S\n]*(?:\n|\Z)", re.MULTILINE)
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def front_matter(text: str) -> dict[str, Any]:
    """Return what stands between the first two lines `---`; nothing where there is nothing, or it is broken."""
    try:
        value = parse(block(text)[0])
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def block(text: str) -> tuple[str, str]:
    """Return the front matter and the text after it."""
    first = _RULE.match(text)
    end = _RULE.search(text, first.end()) if first else None
    return ("", text) if first is None or end is None else (text[first.end() : end.start()], text[end.end() :])


def parse(text: str) -> Any:
    """Return YAML as JSON knows it. Raise ValueError with the reason for what is broken, too large or too deep."""
    if len(text) > MAX_FRONT_MATTER:
        raise ValueError(f"the front matter is larger than {MAX_FRONT_MATTER:,} characters")
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError("the front matter uses aliases (*name), which cards must not")
            if isinstance(event, yaml.ScalarEvent) and (event.implicit[0] or event.tag):  # not in quotes
                if _LONG_NUMBER.fullmatch(event.value):
                    raise ValueError("the front matter has a number of more than 100 digits; write it in quotes")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                raise ValueError(f"the front matter is nested deeper than {_MAX_DEPTH} levels")
        value = yaml.load(text, Loader=_Loader)
        return json.loads(json.dumps(value, default=str, skipkeys=True, allow_nan=True), parse_constant=lambda _: None)
    except (yaml.YAMLError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from None
