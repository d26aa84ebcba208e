"""Translate tensor names between two libraries by the pairs of patterns of a layout."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from zoo.specs.layouts import Rename

_PIECE = re.compile(r"\{(?P<field>\w+)(?P<shift>[+-]\d+)?\}|(?P<bracket>[\[\]])|(?P<text>[^{}\[\]]+)")


class Translated(NamedTuple):
    """A name on the other side, and how theirs is stored where it differs: as `Rename` says."""

    name: str
    dims: int | None = None
    part: tuple[int, int] = (0, 1)
    axes: tuple[int | tuple[int, ...], ...] | None = None
    reversed: int | None = None


def to_ours(name: str, renames: Iterable[Rename]) -> Translated:
    """Return our name of their tensor; a name that no rule knows stays."""
    return next(_translations(name, ((rule.source, rule.target, rule) for rule in renames)), Translated(name))


def to_theirs(name: str, renames: Iterable[Rename]) -> Translated:
    """Return their name of our tensor, of its first part where they store several; a name that no rule knows stays."""
    return parts_of(name, renames)[0]


def parts_of(name: str, renames: Iterable[Rename]) -> list[Translated]:
    """Return their names of our tensor: one, or one for each part where they store several."""
    found = list(_translations(name, ((rule.target, rule.source, rule) for rule in renames)))
    return found[: found[0].part[1]] if found else [Translated(name)]


def matches(name: str, templates: Iterable[str]) -> bool:
    """Tell whether a name, or that of a module around it, is one of these."""
    return any(_compiled(template)[0].fullmatch(name) for template in templates)


def _translations(name: str, pairs: Iterable[tuple[str, str, Rename]]) -> Iterator[Translated]:
    for source, target, rule in pairs:
        if "{" not in source and "[" not in source and not name.startswith(source):
            continue  # what most pairs of a long layout come to, without a pattern
        pattern, fields = _compiled(source)
        if (match := pattern.fullmatch(name)) is None:
            continue
        found = {(field, int(text) - shift) for (field, shift), text in zip(fields, match.groups(), strict=False)}
        values = dict(found)
        if len(values) == len(found) and min(values.values(), default=0) >= 0:
            filled = _filled(target, values) + (match["rest"] or "")
            axes = rule.axes or ((1, 0) if rule.transposed else None)
            yield Translated(filled, rule.dims, rule.part or (0, 1), axes, rule.reversed)


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
