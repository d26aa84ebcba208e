"""`zoo hub import`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.cli.hub.store import folder_argument, size_text
from zoo.commands.output import print_line
from zoo.printable import counted

if TYPE_CHECKING:
    from zoo.hub.importing import Imported


@click.command("import")
@folder_argument
@click.argument("repos", nargs=-1, required=True, metavar="[hf://][datasets/]REPO[@REVISION]...")
@click.option(
    "--from", "source", metavar="HUB", help="Address or folder of the Hub.  [default: https://huggingface.co]"
)
@click.option("--from-token", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A token of it.")
@click.option("--history", type=click.IntRange(1), help="Commits of each branch.  [default: all]")
def import_(
    folder: Path, repos: tuple[str, ...], source: str | None, from_token: Path | None, history: int | None
) -> None:
    """Bring repos of another Hub into FOLDER, with history, under the same commit ids; every hash is verified.

    They are read here and not written, as with `zoo hub serve --upstream`; no server may run.
    """
    from zoo.hub.importing import import_repos
    from zoo.hub.mirror import read_token

    import_repos(folder, repos, source, token=read_token(from_token), history=history, done=_show)


def _show(done: "Imported") -> None:
    print_line(
        f"{done.wanted.kind} {done.wanted.repo}: {counted(done.revisions, 'revision')}, "
        f"{counted(done.commits, 'commit')}, {counted(done.files, 'file')}, {size_text(done.bytes)}"
    )
