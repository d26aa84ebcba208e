"""`zoo plugins list`, which `zoo plugins` alone is too."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import click

from zoo.commands.output import print_line, print_text
from zoo.commands.tables import print_json, print_table
from zoo.errors import PluginError
from zoo.extras import EXTRAS, Extra
from zoo.registry.plugins import CORE, Plugin
from zoo.registry.registry import Registry, default_registry
from zoo.specs.records import singular

_MANY = ("models", "recipes", "tasks", "datasets")
_NOTHING: dict[str, Any] = {"version": None, "offers": {}, "error": None, "notes": [], "missing": {}}


def listing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the list."""
    for option in (
        click.option(
            "--strict", is_flag=True, help="Exit with 8 if a plugin did not load, or two offer the same name."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    ):
        function = option(function)
    return function


@click.command("list")
@listing
@click.pass_context
def list_command(context: click.Context, as_json: bool, strict: bool) -> None:
    """List plugins with their versions: what they offer, or why they failed to load; and extras that are missing."""
    registry = default_registry()
    rows = [_row(plugin, _notes(registry, plugin)) for plugin in registry.plugins]
    rows += [{**_NOTHING, "plugin": name, "error": f"not installed: pip install {name}"} for name in _known(registry)]
    if as_json:
        print_json(rows)
    else:
        _print(rows)
    if context.find_root().params.get("debug"):
        for plugin in registry.plugins:
            if plugin.traceback:
                print_line(f"{plugin.distribution} {plugin.version}:", err=True)
                print_text(plugin.traceback, err=True)
    faults = [row["plugin"] for row in rows if row["version"] and (row["error"] or row["notes"])]
    if strict and faults:
        raise PluginError(f"something is wrong with {', '.join(faults)}; `zoo --debug plugins` shows tracebacks")


def _print(rows: list[dict[str, Any]]) -> None:
    print_table(
        ("PLUGIN", "VERSION", "OFFERS"),
        [
            (row["plugin"], row["version"] or "-", row["error"] or "; ".join([*_summary(row["offers"]), *row["notes"]]))
            for row in rows
        ],
    )
    if missing := _missing():
        print_line()
        print_table(
            ("MISSING EXTRA", "NEEDED FOR", "INSTALL"), [(extra.name, extra.use, extra.command) for extra in missing]
        )


def _notes(registry: Registry, plugin: Plugin) -> list[str]:
    if plugin.error is not None:
        return []
    unmet = (registry.unmet(kind, spec) for kind, specs in plugin.offers.items() for spec in specs)
    return [*registry.conflicts(plugin), *filter(None, unmet)]


def _row(plugin: Plugin, notes: list[str]) -> dict[str, Any]:
    notes = notes + ([f"took {plugin.seconds:.1f} s to import, which is too long"] if plugin.slow else [])
    return {
        "plugin": plugin.distribution,
        "version": plugin.version,
        "offers": {kind: [spec.name for spec in specs] for kind, specs in plugin.offers.items()},
        "error": f"not loaded: {plugin.error}" if plugin.error else None,
        "notes": notes,
        "missing": {extra.name: extra.command for extra in _missing()} if plugin.distribution == CORE else {},
    }


def _summary(offers: dict[str, list[str]]) -> list[str]:
    """Return how many there are of what plugins offer many of, and the names of everything else."""
    counts = [
        f"{len(names)} {kind if len(names) != 1 else singular(kind)}" for kind in _MANY if (names := offers.get(kind))
    ]
    few = [
        f"{kind if len(names) != 1 else singular(kind)} {', '.join(names)}"
        for kind, names in offers.items()
        if names and kind not in _MANY
    ]
    return [", ".join(counts), *few] if counts else few or ["nothing"]


def _missing() -> list[Extra]:
    return [extra for extra in EXTRAS if extra.missing()]


def _known(registry: Registry) -> list[str]:
    """Return the plugins that registries name and that are not installed."""
    return [name for name in sorted(registry.catalogue.plugins) if not _installed(name)]


def _installed(name: str) -> bool:
    try:
        return bool(distribution(name))
    except PackageNotFoundError:
        return False
