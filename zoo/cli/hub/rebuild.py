"""`zoo hub rebuild`."""

import shlex
from pathlib import Path

import click

from zoo.cli.hub.store import folder_argument
from zoo.commands.output import print_line
from zoo.printable import counted


@click.command("rebuild")
@folder_argument
@click.option(
    "--from",
    "backup",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="BACKUP",
    help="Take the names from this backup. Default: the copy in FOLDER that the last server left.",
)
def rebuild(folder: Path, backup: Path | None) -> None:
    """Make another store.db for a Hub that has lost it; every blob is hashed. No server may run."""
    from tqdm import tqdm

    from zoo.files import storage_errors
    from zoo.hub.server.salvage import salvage

    with (
        storage_errors(f"rebuilding the Hub in {folder}"),
        tqdm(unit="B", unit_scale=True, leave=False, disable=None) as bar,
    ):
        done = salvage(folder, backup, bar.update)
    if done.source is None:
        print_line("no export was there: no repo, commit or user is known; the owner's token stays")
    else:
        print_line(
            f"{counted(done.repos, 'repo')}, {counted(done.commits, 'commit')} and "
            f"{counted(done.users, 'user')}, from {done.source}"
        )
        print_line(f"as of {done.date}: what was pushed, deleted, made private or revoked since is as it was then")
        print_line(
            f"tokens are void but the owner's; make new ones: zoo hub user token {shlex.quote(str(folder))} NAME"
        )
    print_line(f"{counted(done.blobs, 'blob')} verified, {done.missing:,} missing, {done.broken:,} broken")
    if done.missing:
        print_line(f"`zoo hub fsck {shlex.quote(str(folder))}` lists the files that need them")
    if done.unnamed:
        print_line(f"{folder}/unnamed has {counted(done.unnamed, 'file')} that nothing names; gc leaves them alone")
