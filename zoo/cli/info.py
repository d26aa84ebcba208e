"""`zoo info`."""

import os
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import click
import msgspec

from zoo.cli.described_paths import described_path
from zoo.commands.output import print_line
from zoo.commands.tables import millions, print_json, print_table
from zoo.errors import NotFoundError
from zoo.extras import install_command
from zoo.registry.facts import allows_commercial
from zoo.registry.registry import Registry, default_registry
from zoo.registry.signatures import arguments_of
from zoo.specs.hooks import SPEC_TYPES
from zoo.specs.records import ModelSpec, singular
from zoo.weights.kinds import ENDINGS

_COMMERCIAL = {True: "allowed", False: "not allowed", None: None}
_KINDS = [kind for kind in SPEC_TYPES if kind != "models"]


@click.command("info")
@click.argument("names", metavar="NAME|PATH...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """Describe a model, weights, a run, a folder or file, a plugin, or anything else that a plugin offers.

    Several are shown side by side.
    """
    described = [_find(name) for name in names]
    if as_json:
        print_json(described[0] if len(described) == 1 else described)
    elif len(described) == 1:
        _print(described[0])
    else:
        _print_beside(described)


def _print(found: dict[str, Any]) -> None:
    settable = found.pop("settable", [])
    width = max(len(key) for key in found)
    for key, value in found.items():
        if _said(value):
            print_line(f"{key.ljust(width)}  {_text(key, value)}")
    if settable:
        print_line()
        heads = ["ARGUMENT", *(key.upper() for key in settable[0] if key != "name")]
        print_table(heads, [[_cell(value) for value in row.values()] for row in settable])
        print_line("--arg NAME=VALUE sets one")


def _print_beside(described: Sequence[dict[str, Any]]) -> None:
    """Print a table with a column for each; lines that are empty for all are left out."""
    keys = dict.fromkeys(key for found in described for key in found if key not in ("name", "files", "settable"))
    rows = [
        [key, *(_briefly(key, found[key]) if _said(found.get(key)) else "-" for found in described)]
        for key in keys
        if any(_said(found.get(key)) for found in described)
    ]
    print_table(["", *(found["name"] for found in described)], rows)


def _briefly(key: str, value: Any) -> str:
    if key == "scored":
        return ", ".join(value[name] for name in ("data", "date") if name in value)
    return _text(key, value)


def _said(value: Any) -> bool:
    return value is not False and value not in (None, "", {}, [], ())


def _find(name: str) -> dict[str, Any]:
    registry = default_registry()
    catalogue = registry.catalogue
    if name in catalogue.entries or name in catalogue.aliases or name in catalogue.refused:
        return _weights(registry, name)
    for kind in _KINDS:
        if found := next((offer for offer in registry.offers(kind) if offer.spec.name == name), None):
            return _spec(kind, found)
    if plugin := next((plugin for plugin in registry.plugins if plugin.distribution == name), None):
        offers = {kind: [spec.name for spec in specs] for kind, specs in plugin.offers.items()}
        return {"name": name, "kind": "plugin", "version": plugin.version, "error": plugin.error, **offers}
    is_path = "/" in name or os.path.lexists(name) or name.endswith(ENDINGS)
    if is_path:
        from zoo.weights.find import local_path

        if (path := local_path(name)) is not None:
            return described_path(path)
    try:
        return _model(registry, name)
    except NotFoundError:
        if is_path:
            raise NotFoundError(
                f"{name} is a repo on a Hub; pull it first: zoo pull {name} --to FOLDER, then zoo info FOLDER"
            ) from None
        if "." in name:
            return _weights(registry, name)  # a family's; or it says which weights come close
        raise


def _weights(registry: Registry, name: str) -> dict[str, Any]:
    entry = registry.weights(name, allow_mutable=True)
    values: dict[str, Any] = msgspec.to_builtins(entry)
    installed = {plugin.distribution for plugin in registry.plugins}
    return {
        "name": name,
        "kind": "weights",
        **values,
        "commercial use": _COMMERCIAL[allows_commercial(entry.license)],
        "listed in": " < ".join(registry.catalogue.origins.get(registry.catalogue.resolve(name), ())),
        "needs": None if entry.plugin in installed else install_command(entry.plugin),
        "load": f'zoo.load("{name}")',
    }


def _model(registry: Registry, name: str) -> dict[str, Any]:
    offer = registry.model(name)
    facts = msgspec.to_builtins(registry.facts(offer))
    return {**_spec("models", offer), **facts, "settable": _settable(offer.spec)}


def _spec(kind: str, offer: Any) -> dict[str, Any]:
    spec, plugin = offer.spec, offer.plugin
    values = {field.name: getattr(spec, field.name) for field in fields(spec)}
    values = {key: dict(value) if hasattr(value, "items") else value for key, value in values.items()}
    name = values.pop("name")
    use = {"models": f"zoo pretrain {name} --data DATA --out RUN", "recipes": f"zoo recipes show {name}"}
    described = {"name": name, "kind": singular(kind), **values}
    return {**described, "plugin": f"{plugin.distribution} {plugin.version}", "use": use.get(kind)}


def _settable(spec: ModelSpec) -> list[dict[str, Any]]:
    """Return how a model's arguments may be set, without its code having run."""
    return [
        {
            "name": argument.name,
            "type": argument.type,
            "default": repr(spec.arguments[argument.name]) if argument.name in spec.arguments else argument.default,
            "most": spec.limits.get(argument.name),
            "meaning": argument.meaning,
        }
        for argument in arguments_of(spec.target)
    ]


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _text(key: str, value: Any) -> str:
    if key in ("parameters", "numbers"):
        return f"{value:,} ({millions(value)})"
    if key == "multiply_adds":
        return f"{value:,} ({value / 1e9:.2f} G)"
    if key == "memory" and isinstance(value, int):
        return f"{value:,} bytes ({value / 1e6:.0f} MB)"
    if isinstance(value, dict):
        return ", ".join(f"{name}={item}" for name, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
