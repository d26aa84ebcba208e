"""`zoo hub gc`."""

from pathlib import Path

import click

from zoo.cli.hub.store import folder_argument, opened, size_text
from zoo.commands.output import print_line
from zoo.printable import counted


@click.command("gc")
@folder_argument
def gc(folder: Path) -> None:
    """Remove blobs that no commit refers to and nobody has sent for 24 hours. Safe beside a running server."""
    from zoo.hub.server.collect import collect

    with opened(folder) as store:
        done = collect(store)
    print_line(
        f"removed {counted(done.blobs, 'blob')} ({size_text(done.bytes)}), {counted(done.trees, 'folder')}, "
        f"{counted(done.xorbs, 'upload')}, {counted(done.strays, 'file')} that nothing named"
    )
