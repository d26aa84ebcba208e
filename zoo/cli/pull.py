"""`zoo pull`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.api import transfer
from zoo.commands.options import hub
from zoo.commands.output import print_line
from zoo.printable import counted

if TYPE_CHECKING:
    from zoo.hub.records import PulledRepo

_NAMED = 5


@click.command("pull")
@click.argument("name", metavar="NAME|hf://REPO[@REV]")
@click.option("--to", type=click.Path(path_type=Path), help="Put plain files into this folder.")
@click.option(
    "--registry", metavar="FILE|hf://REPO", help="A registry.json, or a repo with one, that takes precedence."
)
@click.option("--lock", is_flag=True, help="Record in ./zoo.lock what was fetched.")
@click.option("--locked", is_flag=True, help="Fetch what ./zoo.lock says, byte for byte.")
@click.option("--offline", is_flag=True, help="Use only the cache, never the network.")
@click.option("--allow-mutable", is_flag=True, help="Allow a registry entry that names a branch instead of a commit.")
@click.option("--all", "everything", is_flag=True, help="Pull the whole repo, except what other programs would run.")
@hub
def command(
    name: str,
    to: Path | None,
    registry: str | None,
    lock: bool,
    locked: bool,
    offline: bool,
    allow_mutable: bool,
    everything: bool,
    hub: str | None,
) -> None:
    """Download weights and verify every byte before anything becomes visible."""
    pulled = transfer.pull(
        name,
        hub=hub,
        to=to,
        registry=registry,
        lock=lock,
        locked=locked,
        offline=offline,
        allow_mutable=allow_mutable,
        everything=everything,
        progress=True,
    )
    from zoo.weights.find import nothing_to_load

    print_line(f"{pulled.repo} at {pulled.commit[:7]}, {counted(len(pulled.files), 'file')} verified  {pulled.folder}")
    if pulled.unusual or pulled.forbidden:
        print_line(_left_out(pulled))
    for line in _notes(name, registry, hub, locked):
        print_line(line)
    if reason := nothing_to_load(pulled):
        print_line(f"nothing to load: {reason}")
        return
    source = str(to or name)
    options = [f"hub={json.dumps(hub)}"] if hub and not to else []
    options += [f"registry={json.dumps(registry)}"] if registry and not to else []
    print_line(f"load it:  zoo.load({', '.join([json.dumps(source), *options])})")


def _left_out(pulled: "PulledRepo") -> str:
    parts = []
    if pulled.unusual:
        parts.append(f"{_listed(pulled.unusual)}, which models do not come with (--all takes them)")
    if pulled.forbidden:
        parts.append(f"{_listed(pulled.forbidden)}, which other programs would run or confuse (never written)")
    return f"left out: {'; '.join(parts)}"


def _listed(names: tuple[str, ...]) -> str:
    from zoo.hub.file_names import shown

    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(shown, names[:_NAMED])) + rest


def _notes(name: str, registry: str | None, hub: str | None, locked: bool) -> list[str]:
    """Say which registry won where several list the name, and which plugin is still missing."""
    if locked or "/" in name:
        return []
    from zoo.weights.find import WeightsQuery, resolve_source

    source = resolve_source(name, WeightsQuery(hub=hub, registry=registry, allow_mutable=True))
    notes = []
    if source.listed_in != ("built-in",):
        others = f", before {' and '.join(source.listed_in[:-1])}" if source.listed_in[1:] else ""
        notes.append(f"listed in {source.listed_in[-1]}{others}")
    from zoo.extras import install_command
    from zoo.registry.registry import default_registry

    installed = {plugin.distribution for plugin in default_registry().plugins}
    if source.entry is not None and source.entry.plugin not in installed:
        notes.append(f"needs plugin {source.entry.plugin}: {install_command(source.entry.plugin)}")
    return notes
