"""What a library takes for keys that its config.json leaves out, and where a config.json describes another model."""

from collections.abc import Mapping
from typing import Any

from zoo.errors import IntegrityError
from zoo.specs.layouts import Layout
from zoo.weights.header import TensorHeader

_SHOWN = 80


def completed(config: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """Return a config.json with the library's own values for keys that it leaves out, under their main names."""
    renamed = {layout.aliases[key]: value for key, value in config.items() if key in layout.aliases}
    found = {**layout.defaults, **config, **renamed}
    return found | {key: found[other] for key, other in layout.same.items() if found.get(key) is None}


def differences(config: Mapping[str, Any], layout: Layout, model: str) -> dict[str, Any]:
    """Return the keys of a completed config.json that describe another model than this one, with their values."""
    described = {**layout.config, **layout.models[model]}
    for key, table in layout.implied.items():
        described |= next((implied for value, implied in table.items() if value == config.get(key)), {})
    return {key: config[key] for key, value in described.items() if config.get(key, value) != value}


def described(others: Mapping[str, Any], given: Mapping[str, Any], layout: Layout, model: str) -> str:
    """Return what keeps a config.json from describing a model: one key, or all that tell its models apart."""
    whole = completed(given, layout)
    told_apart = [key for key in layout.models[model] if key in whole]
    keys = [key for key in others if key not in told_apart][:1] or told_apart
    return ", ".join(told(key, given, whole[key], layout) for key in keys)


def told(key: str, given: Mapping[str, Any], value: object, layout: Layout) -> str:
    """Return `key=value` for a message, by the name that was given, or as the library's default for a missing one."""
    key = next((name for name, main in layout.aliases.items() if main == key and name in given), key)
    said = ascii(value)
    said = said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"
    inside = next((f"{outer}." for outer, inner in given.items() if isinstance(inner, dict) and key in inner), "")
    return f"{inside}{key}={said}" + (
        "" if inside or key in given else ", the default of the library for the missing key"
    )


def check_shapes(
    headers: Mapping[str, TensorHeader],
    shapes: Mapping[str, tuple[int, ...]],
    given: Mapping[str, Any],
    layout: Layout,
    source: str,
) -> None:
    """Raise IntegrityError where a tensor does not fit and config.json leaves out what would tell its shape."""
    wrong = next((name for name, header in headers.items() if shapes.get(name, header.shape) != header.shape), None)
    names = {*given, *(layout.aliases.get(key, key) for key in given)}
    missing = [key for key in layout.options.values() if key in layout.defaults and key not in names]
    if wrong is not None and missing:
        assumed = completed(given, layout)
        taken = ", ".join(f"{key} ({ascii(assumed[key])})" for key in missing)
        raise IntegrityError(
            f"{source} has {wrong} {list(headers[wrong].shape)} instead of {list(shapes[wrong])}: its config.json "
            f"leaves out {taken}, for which {layout.library} takes what is in brackets; add what is right"
        )
