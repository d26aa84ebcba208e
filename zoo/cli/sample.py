"""`zoo sample`."""

from pathlib import Path

import click

from zoo import api
from zoo.cli.options import hub
from zoo.cli.output import print_line


@click.command("sample")
@click.argument("weights")
@click.option("-n", "--number", default=64, show_default=True, type=int, help="How many pictures.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Decides which pictures.")
@click.option("--label", type=int, metavar="CLASS", help="The class of all of them, by its place: 0, 1, …")
@click.option("--each", is_flag=True, help="Write every picture by itself, too.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the pictures.")
@hub
def command(weights: str, number: int, seed: int, label: int | None, each: bool, out: Path, hub: str | None) -> None:
    """Write a grid of pictures that WEIGHTS make."""
    for path in api.sample(weights, number, out=out, seed=seed, label=label, each=each, hub=hub):
        print_line(path)
