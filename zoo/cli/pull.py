"""`zoo pull`."""

from pathlib import Path

import click

from zoo import api
from zoo.cli.options import hub


@click.command("pull")
@click.argument("name", metavar="NAME|hf://REPO[@REV]")
@click.option("--to", type=click.Path(path_type=Path), help="Put plain files into this folder.")
@click.option("--allow-mutable", is_flag=True, help="Take a registry entry that names a branch and no commit.")
@hub
def command(name: str, to: Path | None, allow_mutable: bool, hub: str | None) -> None:
    """Fetch weights and verify every byte before anything is visible."""
    pulled = api.pull(name, hub=hub, to=to, allow_mutable=allow_mutable, progress=True)
    click.echo(f"{pulled.repo} at {pulled.commit[:7]}, {len(pulled.files)} files verified  {pulled.folder}")
    source = str(to) if to else name
    click.echo(f'load it:  zoo.load("{source}"' + (f', hub="{hub}")' if hub and not to else ")"))
