"""A spec with the plugin that offers it, and how offers are named."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

from zoo.registry.plugins import Plugin
from zoo.specs.records import ModelSpec, Spec

S = TypeVar("S")


@dataclass(frozen=True)
class Offer(Generic[S]):
    """A spec and the plugin that offers it."""

    plugin: Plugin
    spec: S


def key_of(spec: Spec) -> str:
    """Return the name that tells a spec from others of its kind: of a model with its family."""
    return f"{spec.family}/{spec.name}" if isinstance(spec, ModelSpec) else spec.name


def yields(spec: Spec) -> bool:
    """Tell whether a spec leaves its name to another."""
    return isinstance(spec, ModelSpec) and spec.fallback


def matches(name: str, pattern: str | None) -> bool:
    """Tell whether a name matches a shell pattern; a pattern without wildcards matches anywhere in the name."""
    if not pattern:
        return True
    return fnmatchcase(name, pattern) if set(pattern) & set("*?[") else pattern in name
