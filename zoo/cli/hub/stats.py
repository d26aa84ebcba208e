"""`zoo hub stats`."""

from pathlib import Path

import click

from zoo.cli.hub.store import folder_argument, opened, size_text
from zoo.commands.output import print_line
from zoo.commands.tables import print_json, print_table
from zoo.printable import counted


@click.command("stats")
@folder_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def stats(folder: Path, as_json: bool) -> None:
    """Show how much a Hub holds, and its largest repos."""
    from zoo.hub.server.stats import statistics

    with opened(folder) as store:
        found = statistics(store)
    if as_json:
        print_json(found)
        return
    repos = ", ".join(counted(count, type_.removesuffix("s")) for type_, count in found["repos"].items()) or "no repos"
    print_line(
        f"{repos} · {counted(found['commits'], 'commit')} · {counted(found['users'], 'user')} · "
        f"{counted(found['downloads'], 'download')}"
    )
    print_line(
        f"{counted(found['blobs'], 'blob')}, {size_text(found['bytes'])} · "
        f"database {size_text(found['database_bytes'])}"
    )
    print_line(f"{size_text(found['free_bytes'])} free on the disk")
    if found["largest"]:
        rows = [
            (f"{row['type']}/{row['repo']}", f"{row['blobs']:,}", size_text(row["bytes"])) for row in found["largest"]
        ]
        print_line()
        print_table(("REPO", "BLOBS", "SIZE"), rows)
