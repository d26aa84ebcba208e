"""`zoo finetune`."""

from typing import Any

import click

from zoo.cli.offered import Offered
from zoo.cli.training import train, training_options
from zoo.commands.following import after_finetuning
from zoo.commands.options import columns, hub


@click.command("finetune")
@click.argument("weights")
@training_options
@click.option("--task", required=True, help="The task, such as image-classification.")
@click.option(
    "--method",
    type=Offered("methods"),
    help="Which parts are trained; default: full.",
)
@click.option(
    "--arg",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="A model argument that only affects training, such as dropout=0.1; of a model by its name any.",
)
@click.option("--labels", type=click.IntRange(1), help="Use that many labelled training samples.")
@click.option(
    "--baselines",
    is_flag=True,
    help="Also train from scratch, and a classical method (scikit-learn), and say which wins.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@columns
@hub
def command(weights: str, **typed: Any) -> None:
    """Finetune WEIGHTS (a name, hf://…, a run or a folder) for a task; with --method scratch a model's name will do."""
    train("finetune", weights, typed, after_finetuning)
