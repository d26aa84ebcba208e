"""`zoo pretrain`."""

from typing import Any

import click

from zoo.cli.training import train, training_options
from zoo.commands.following import after_pretraining
from zoo.commands.options import columns, hub


@click.command("pretrain")
@click.argument("model")
@training_options
@click.option("--arg", "arguments", multiple=True, metavar="NAME=VALUE", help="A model argument, as JSON.")
@click.option("--recipe", metavar="NAME|FILE.toml", help="The recipe; default: the model's own.")
@columns
@hub
def command(model: str, **typed: Any) -> None:
    """Train a new MODEL with a recipe, without or with labels."""
    train("pretrain", model, typed, lambda result, _: after_pretraining(result, model))
