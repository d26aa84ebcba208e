"""What the specs of all kinds have in common: words that are checked, and targets by name.

A name that can be typed is lower-case: letters, digits and `_` (tasks: `-`, as the Hub spells its tags).
"""

import re
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

from zoo.specs.record import Record

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,95}")
_WORDS = ("name", "family", "modality", "capabilities", "requires", "learns_from", "targets")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def check(spec: Any, targets: tuple[str, ...] = ("target",)) -> None:
    """Check the words of a spec: its names, the vocabularies that plugins declare, its targets."""
    for name in (item.name for item in fields(spec) if item.name in _WORDS):
        given = getattr(spec, name)
        for value in given if isinstance(given, tuple) else (given,):
            if value is None and name != "name":
                continue
            if not isinstance(value, str) or not _NAME.fullmatch(value):
                raise ValueError(
                    f"{name} {value!r} of a {type(spec).__name__} must be lower-case letters, digits, '_' or '-'"
                )
    for name in targets:
        if not isinstance(value := getattr(spec, name), str) or not _TARGET.fullmatch(value):
            raise ValueError(f"{name} {value!r} of {spec.name!r} must be 'package.module:attribute'")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Named(Record):
    """What a spec of any kind has."""

    name: str
    summary: str
    target: str

    def __post_init__(self) -> None:
        check(self)


def load_target(target: str) -> Any:
    """Import what `package.module:attribute` names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
