"""`zoo evaluate`."""

from pathlib import Path
from typing import Any

import click

from zoo import trainings
from zoo.cli.options import columns, columns_of, hub
from zoo.cli.output import print_line
from zoo.cli.tables import figures, print_json


@click.command("evaluate")
@click.argument("weights")
@click.option("--data", required=True, help="A data set's name, a folder of pictures, or text files.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where the data set's files lie.")
@click.option("--device", help="cpu, cuda, cuda:1; default: a GPU where there is one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@columns
@hub
def command(weights: str, data: str, as_json: bool, **options: Any) -> None:
    """Score WEIGHTS on the test split of a data set, by the recipe that made them."""
    scores = trainings.evaluate(weights, data=data, columns=columns_of(options), **options)
    if as_json:
        print_json(scores)
    else:
        print_line(f"{weights} on {data}, test: {figures(scores)}")
