"""`zoo sample`."""

from pathlib import Path

import click

from zoo.api import models
from zoo.commands.options import hub
from zoo.commands.output import print_line


@click.command("sample")
@click.argument("weights")
@click.option("-n", "--number", default=64, show_default=True, type=int, help="Number of images.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Random seed.")
@click.option("--label", type=int, metavar="CLASS", help="The class of all images, by number: 0, 1, …")
@click.option("--each", is_flag=True, help="Also write every image to its own file.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the images.")
@hub
def command(weights: str, number: int, seed: int, label: int | None, each: bool, out: Path, hub: str | None) -> None:
    """Sample images from WEIGHTS and write them as a grid."""
    for path in models.sample(weights, number, out=out, seed=seed, label=label, each=each, hub=hub):
        print_line(path)
