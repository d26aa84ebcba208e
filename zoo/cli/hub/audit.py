"""`zoo hub audit`."""

from pathlib import Path
from typing import Literal

import click

from zoo.cli.hub.store import folder_argument, opened
from zoo.commands.output import print_line
from zoo.errors import IntegrityError


@click.command("audit")
@folder_argument
@click.option("--since", default="", metavar="DATE", help="From this day or moment on, as 2026-12-01.")
@click.option("--user", default="", help="What this user did.")
@click.option("--subject", default="", metavar="REPO|USER", help="What was done to this repo (datasets/…) or user.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("--check", is_flag=True, help="Only tell whether a line was changed or removed since it was written.")
def audit(folder: Path, since: str, user: str, subject: str, form: Literal["jsonl", "csv"], check: bool) -> None:
    """Print who changed what, and from where, oldest first: one line a change."""
    from zoo.hub.server import audit as log

    with opened(folder) as store:
        if check:
            with store.database.snapshot() as connection:
                faults = log.faults(connection)
                (count,) = connection.execute("SELECT COUNT(*) FROM audit").fetchone()
            if faults:
                raise IntegrityError(f"{folder}: {faults[0]}; compare it with what you exported before")
            print_line(f"{count:,} lines, each as it was written")
            return
        for line in log.exported(log.lines(store.database, since, user, subject), form):
            print_line(line)
