"""`zoo hub backup`."""

from pathlib import Path

import click

from zoo.cli.hub.store import folder_argument, opened, size_text
from zoo.cli.output import print_line


@click.command("backup")
@folder_argument
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
def backup(folder: Path, target: Path) -> None:
    """Bring TARGET up to date with FOLDER, while it is served. `zoo hub serve TARGET` then is the same Hub."""
    from zoo.hub.server.backup import back_up
    from zoo.paths import storage_errors

    with opened(folder) as store, storage_errors(f"copying {folder} to {target}"):
        done = back_up(store, target)
    print_line(f"copied {done.blobs:,} new blobs ({size_text(done.bytes)}) to {target}")
