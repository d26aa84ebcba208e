"""`zoo plugins manifest`."""

from pathlib import Path

import click

from zoo.authoring.manifest import manifest_of, place_of, written
from zoo.commands.output import print_line
from zoo.files import write_file
from zoo.registry.registry import default_registry


@click.command("manifest")
@click.argument("plugin")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; default: in the plugin's package.")
def manifest(plugin: str, out: Path | None) -> None:
    """Write zoo-plugin.json: what an installed PLUGIN offers, as data that is read without importing it.

    Built into wheels, it is what `zoo plugins index` lists.
    """
    registry = default_registry()
    found = manifest_of(plugin, registry)
    path = out or place_of(next(one for one in registry.plugins if one.distribution == plugin))
    write_file(path, written(found).encode())
    print_line(f"{path}: {', '.join(f'{len(offers)} {kind}' for kind, offers in found.offers.items()) or 'no offers'}")
