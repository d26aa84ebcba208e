"""`zoo plugins`."""

from typing import Any

import click

from zoo.commands.tables import print_json, print_table
from zoo.registry.plugins import Plugin
from zoo.registry.registry import Registry, default_registry
from zoo.specs.records import singular


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List plugins with their versions: what they offer, or why they failed to load."""
    registry = default_registry()
    rows = [_row(plugin, _notes(registry, plugin)) for plugin in registry.plugins]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("PLUGIN", "VERSION", "OFFERS"),
        [
            (row["plugin"], row["version"], row["error"] or "; ".join([_counts(row["offers"]), *row["notes"]]))
            for row in rows
        ],
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
    }


def _counts(offers: dict[str, list[str]]) -> str:
    counts = [f"{len(names)} {kind if len(names) != 1 else singular(kind)}" for kind, names in offers.items() if names]
    return ", ".join(counts) or "nothing"
