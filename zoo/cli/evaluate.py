"""`zoo evaluate`."""

from pathlib import Path
from typing import Any

import click

from zoo.api import training
from zoo.commands.options import columns, columns_of, data_set, hub, pairs
from zoo.commands.output import print_line
from zoo.commands.tables import figures, print_json


@click.command("evaluate")
@click.argument("weights")
@click.option("--data", required=True, help="A data set's name, a folder of images, or text files.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder with the data set's files.")
@click.option("--device", help="cpu, cuda, cuda:1; default: a GPU if available.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@data_set
@columns
@hub
def command(weights: str, data: str, as_json: bool, data_set: tuple[str, ...], **options: Any) -> None:
    """Score WEIGHTS on the test split of a data set, with the recipe that trained them."""
    options["data_options"] = pairs(data_set, "--data-set")
    scores = training.evaluate(weights, data=data, columns=columns_of(options), **options)
    if as_json:
        print_json(scores)
    else:
        print_line(f"{weights} on {data}, test: {figures(scores)}")
