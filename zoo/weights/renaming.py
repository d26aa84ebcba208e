"""Translate tensor names between two libraries by the pairs of patterns of a layout."""

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from zoo.layouts import Rename

_PIECE = re.compile(r"\{(?P<field>\w+)(?P<shift>[+-]\d+)?\}|(?P<bracket>[\[\]])|(?P<text>[^{}\[\]]+)")


class Translated(NamedTuple):
    """A name on the other side, and the number of dimensions that theirs has where it differs."""

    name: str
    dims: int | None = None


def to_ours(name: str, renames: Iterable[Rename]) -> Translated:
    """Return our name of their tensor; a name that no rule knows stays."""
    return _translate(name, ((rule.theirs, rule.ours, rule.dims) for rule in renames))


def to_theirs(name: str, renames: Iterable[Rename]) -> Translated:
    """Return their name of our tensor; a name that no rule knows stays."""
    return _translate(name, ((rule.ours, rule.theirs, rule.dims) for rule in renames))


def _translate(name: str, pairs: Iterable[tuple[str, str, int | None]]) -> Translated:
    for source, target, dims in pairs:
        pattern, fields = _compiled(source)
        if (match := pattern.fullmatch(name)) is None:
            continue
        found = {(field, int(text) - shift) for (field, shift), text in zip(fields, match.groups(), strict=False)}
        values = dict(found)
        if len(values) == len(found) and min(values.values(), default=0) >= 0:
            return Translated(_filled(target, values) + (match["rest"] or ""), dims)
    return Translated(name)


@cache
def _compiled(template: str) -> tuple[re.Pattern[str], list[tuple[str, int]]]:
    """Return a pattern with a group for every number, and which field and shift each group has."""
    pattern, fields = "", []
    for piece in _PIECE.finditer(template):
        if piece["field"]:
            fields.append((piece["field"], int(piece["shift"] or 0)))
            pattern += r"(\d{1,6})"
        elif piece["bracket"]:
            pattern += "(?:" if piece["bracket"] == "[" else ")?"
        else:
            pattern += re.escape(piece["text"])
    return re.compile(pattern + r"(?P<rest>\..+)?", re.ASCII | re.DOTALL), fields


def _filled(template: str, values: dict[str, int]) -> str:
    return "".join(
        str(values[piece["field"]] + int(piece["shift"] or 0)) if piece["field"] else piece["text"] or ""
        for piece in _PIECE.finditer(template)
    )
