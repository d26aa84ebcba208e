"""`zoo plugins`."""

from typing import Any

import click

from zoo.cli.tables import print_json, print_table
from zoo.plugins import Plugin
from zoo.registry import default_registry


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Show every plugin with its version, what it offers, or why it did not load."""
    registry = default_registry()
    rows = [_row(plugin, registry.conflicts(plugin) if plugin.error is None else []) for plugin in registry.plugins]
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


def _row(plugin: Plugin, conflicts: list[str]) -> dict[str, Any]:
    notes = conflicts + ([f"took {plugin.seconds:.1f} s to import, which is too long"] if plugin.slow else [])
    return {
        "plugin": plugin.distribution,
        "version": plugin.version,
        "offers": {kind: [spec.name for spec in specs] for kind, specs in plugin.offers.items()},
        "error": f"not loaded: {plugin.error}" if plugin.error else None,
        "notes": notes,
    }


def _counts(offers: dict[str, list[str]]) -> str:
    counts = [f"{len(names)} {kind if len(names) != 1 else kind[:-1]}" for kind, names in offers.items() if names]
    return ", ".join(counts) or "nothing"
