"""`zoo hub gc`."""

from pathlib import Path

import click

from zoo.cli.hub.store import folder_argument, opened, size_text
from zoo.cli.output import print_line


@click.command("gc")
@folder_argument
def gc(folder: Path) -> None:
    """Remove what no commit names and nobody has sent for 24 hours. A server may run meanwhile."""
    from zoo.hub.server.collect import collect

    with opened(folder) as store:
        done = collect(store)
    print_line(
        f"removed {done.blobs:,} blobs ({size_text(done.bytes)}), {done.trees:,} folders, {done.xorbs:,} uploads, "
        f"{done.strays:,} files that nothing named"
    )
