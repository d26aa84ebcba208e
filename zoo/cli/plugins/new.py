"""`zoo plugins new`."""

import shlex
from pathlib import Path

import click

from zoo.authoring.scaffold import OFFERS, write_plugin
from zoo.commands.output import print_line
from zoo.registry.registry import default_registry


@click.command("new")
@click.argument("name")
@click.option("--kind", type=click.Choice(list(OFFERS)), default="model", show_default=True, help="What it offers.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder to write; default: NAME.")
def new(name: str, kind: str, out: Path | None) -> None:
    """Write a plugin that works, to go on from: a distribution NAME, such as zoo-birds, with tests and a README.

    It trains on data that come with Zoo, and its tests inherit the conformance suite.
    """
    written = write_plugin(name, kind, out or Path(name), default_registry())
    folder = shlex.quote(str(written.folder))
    print_line(f"{written.folder}/  {written.files} files")
    print_line(f"next:  cd {folder} && pip install -e '.[test]' && pytest && {written.use}")
