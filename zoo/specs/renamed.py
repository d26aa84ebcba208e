"""Names of the last release, which go with the next one. What is typed by them works, with a notice."""

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_log = logging.getLogger("zoo")
_Called = TypeVar("_Called", bound=Callable[..., Any])

FLAGS = {"licence": "license", "normalise": "normalize"}
TARGETS = {"written": "target_text"}


def tell_renamed(old: str, new: str) -> None:
    """Log that a name is another one now."""
    _log.warning("%s is now %s; the old name goes with the next release", old, new)


def renamed_arguments(**names: str) -> Callable[[_Called], _Called]:
    """Let a function, or a class, take keyword arguments by their old names: `@renamed_arguments(old="new")`."""

    def decorate(called: _Called) -> _Called:
        owner = called.__qualname__.removesuffix(".__call__")
        inner: Any = called.__init__ if isinstance(called, type) else called  # type: ignore[misc]

        @functools.wraps(inner)
        def outer(*positional: Any, **given: Any) -> Any:
            for old, new in names.items():
                if old in given:
                    tell_renamed(f"{old}= of {owner}", f"{new}=")
                    given[new] = given.pop(old)
            return inner(*positional, **given)

        if not isinstance(called, type):
            return outer  # type: ignore[return-value]
        called.__init__ = outer  # type: ignore[misc]
        for old, new in names.items():
            setattr(called, old, property(_reading(called.__name__, old, new)))
        return called

    return decorate


def _reading(owner: str, old: str, new: str) -> Callable[[Any], Any]:
    def read(instance: Any) -> Any:
        tell_renamed(f"{owner}.{old}", f"{owner}.{new}")
        return getattr(instance, new)

    return read


def current_keys(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return what was stored by its present names; a key that is there in both forms stays as it is."""
    return {names[key] if key in names and names[key] not in values else key: item for key, item in values.items()}


def current_flag(name: str) -> str:
    """Return the name of a flag, without dashes, as it is now."""
    if name in FLAGS:
        tell_renamed(f"--{name}", f"--{FLAGS[name]}")
    return FLAGS.get(name, name)
