"""`zoo reconstruct`."""

from pathlib import Path

import click

from zoo import api
from zoo.cli.options import hub
from zoo.cli.output import print_line


@click.command("reconstruct")
@click.argument("weights")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the pictures.")
@hub
def command(weights: str, images: tuple[Path, ...], out: Path, hub: str | None) -> None:
    """Write what an autoencoder's WEIGHTS make of IMAGES, and a grid of inputs over outputs."""
    for path in api.reconstruct(weights, images, out=out, hub=hub):
        print_line(path)
