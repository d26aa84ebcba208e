"""`zoo hub mirror`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.cli.hub.store import size_text
from zoo.commands.output import print_line
from zoo.printable import counted

if TYPE_CHECKING:
    from zoo.hub.mirror import Mirrored

_token_file = click.Path(path_type=Path, dir_okay=False)


@click.command("mirror")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.argument("repos", nargs=-1, metavar="[REPO|datasets/REPO]...")
@click.option("--from-token", type=_token_file, metavar="FILE", help="The file with a token of FROM.")
@click.option("--to-token", type=_token_file, metavar="FILE", help="The file with a token of TO.")
def mirror(source: str, target: str, repos: tuple[str, ...], from_token: Path | None, to_token: Path | None) -> None:
    """Copy repos from one Hub to another, addresses or folders: every tag, then main; all repos when none is named.

    What is there already is not copied again. Without a file, ZOO_HUB_TOKEN goes to ZOO_HUB alone, and HF_TOKEN, or the
    token of `hf auth login`, to HF_ENDPOINT alone, or to the public Hub where that is not set.
    """
    from zoo.hub import mirror as mirroring

    tokens = {
        "source_token": mirroring.read_token(from_token),
        "target_token": mirroring.read_token(to_token),
    }
    results = mirroring.mirror(source, target, repos, done=_show, **tokens)
    print_line(f"{counted(len(results), 'repo')} {'is' if len(results) == 1 else 'are'} the same on both")


def _show(done: "Mirrored") -> None:
    copied = f"{counted(done.files, 'file')} changed, {size_text(done.bytes)}" if done.files else "all there"
    print_line(f"{done.kind} {done.repo}: {counted(done.tags, 'tag')}, {copied}")
