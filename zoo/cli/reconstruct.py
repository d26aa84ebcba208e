"""`zoo reconstruct`."""

from pathlib import Path

import click

from zoo.api import models
from zoo.commands.options import hub
from zoo.commands.output import print_line


@click.command("reconstruct")
@click.argument("weights")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the images.")
@hub
def command(weights: str, images: tuple[Path, ...], out: Path, hub: str | None) -> None:
    """Reconstruct IMAGES with an autoencoder's WEIGHTS; write the outputs and a grid beside the inputs."""
    for path in models.reconstruct(weights, images, out=out, hub=hub):
        print_line(path)
