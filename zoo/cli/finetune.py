"""`zoo finetune`."""

from typing import Any

import click

from zoo.cli.training import train, training_options
from zoo.commands.following import after_finetuning
from zoo.commands.options import columns, hub
from zoo.registry.registry import default_registry


@click.command("finetune")
@click.argument("weights")
@training_options
@click.option("--task", required=True, help="What for, such as image-classification.")
@click.option(
    "--method",
    type=click.Choice([offer.spec.name for offer in default_registry().offers("methods")]),
    help="What learns, and when; default: full.",
)
@click.option(
    "--arg",
    "arguments",
    multiple=True,
    metavar="NAME=VALUE",
    help="An argument of the model that only changes how it learns, such as dropout=0.1.",
)
@click.option("--labels", type=click.IntRange(1), help="Take that many labelled training samples.")
@columns
@hub
def command(weights: str, **typed: Any) -> None:
    """Train WEIGHTS (a name, hf://…, a run or a folder) on for a task."""
    train(
        "finetune",
        weights,
        typed,
        lambda result, asked: after_finetuning(result, asked["data"], asked["columns"], asked["data_options"]),
    )
