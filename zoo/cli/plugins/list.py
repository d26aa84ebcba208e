"""`zoo plugins list`, which `zoo plugins` alone is too."""

from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import click

from zoo.commands.output import print_line, print_text
from zoo.commands.tables import print_json, print_table
from zoo.errors import PluginError, UsageError
from zoo.extras import EXTRAS, Extra, install_command
from zoo.registry.plugins import CORE, Plugin
from zoo.registry.registry import Registry, default_registry, matches
from zoo.specs.records import singular

_MANY = ("models", "recipes", "tasks", "datasets")
_NOTHING: dict[str, Any] = {"version": None, "offers": {}, "error": None, "notes": [], "missing": {}}


def listing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the list."""
    for option in (
        click.option(
            "--strict",
            is_flag=True,
            help="Exit with 8 if a plugin did not load, two offer the same name, or a hook is deprecated.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    ):
        function = option(function)
    return function


@click.command("list")
@click.argument("pattern", required=False)
@click.option("--index", metavar="URL|FOLDER", help="List a plugin index instead of what is installed here.")
@listing
def list_command(pattern: str | None, index: str | None, as_json: bool, strict: bool) -> None:
    """List plugins with their versions: what they offer, or why they failed to load; and extras that are missing.

    PATTERN has wildcards, or matches anywhere in a name; in an index also in what plugins offer.
    """
    if index is None:
        list_installed(as_json=as_json, strict=strict, pattern=pattern)
    elif strict:
        raise UsageError("--strict is about plugins that are installed; leave out --index")
    else:
        from zoo.cli.plugins.indexed import list_indexed

        list_indexed(index, pattern, as_json=as_json)


def list_installed(*, as_json: bool, strict: bool, pattern: str | None = None) -> None:
    """List what is installed here."""
    registry = default_registry()
    plugins = [plugin for plugin in registry.plugins if matches(plugin.distribution, pattern)]
    rows = [_row(plugin, _notes(registry, plugin)) for plugin in plugins]
    rows += [
        {**_NOTHING, "plugin": name, "error": f"not installed: {install_command(name)}"}
        for name in _known(registry)
        if matches(name, pattern)
    ]
    if as_json:
        print_json(rows)
    else:
        _print(rows)
    if click.get_current_context().find_root().params.get("debug"):
        print_tracebacks(plugins)
    faults = [row["plugin"] for row in rows if row["version"] and (row["error"] or row["notes"])]
    if strict and faults:
        raise PluginError(
            f"something is wrong with {', '.join(faults)}; `zoo plugins --debug {faults[0]}` shows a traceback"
        )


def show_failure(name: str) -> None:
    """Print why a plugin did not load, with its traceback. Raise UsageError where it is not here."""
    found = [plugin for plugin in default_registry().plugins if plugin.distribution == name]
    if not found:
        raise UsageError(f"no plugin {name!r} is installed here; `zoo plugins` lists what is")
    for plugin in found:
        print_line(f"{plugin.distribution} {plugin.version}, {plugin.entry_point}: {plugin.error or 'it loads'}")
        if plugin.traceback:
            print_text(plugin.traceback)


def print_tracebacks(plugins: Sequence[Plugin]) -> None:
    """Print the tracebacks of what did not load."""
    for plugin in plugins:
        if plugin.traceback:
            print_line(f"{plugin.distribution} {plugin.version}:", err=True)
            print_text(plugin.traceback, err=True)


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
    return [*registry.conflicts(plugin), *filter(None, unmet), *plugin.deprecated]


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
