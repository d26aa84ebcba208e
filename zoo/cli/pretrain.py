"""`zoo pretrain`."""

import shlex
from pathlib import Path
from typing import Any

import click

from zoo.cli.training import train, training_options
from zoo.commands.following import after_pretraining
from zoo.commands.options import columns, hub
from zoo.errors import UsageError


@click.command("pretrain")
@click.argument("model")
@training_options
@click.option("--arg", "arguments", multiple=True, metavar="NAME=VALUE", help="A model argument, as JSON.")
@click.option("--recipe", metavar="NAME|FILE.toml", help="The recipe; default: the model's own.")
@columns
@hub
def command(model: str, **typed: Any) -> None:
    """Train a new MODEL with a recipe, without or with labels."""
    if "/" in model and Path(model).exists():
        raise UsageError(
            f"{model} lies here, and pretraining begins with a new model; give its name (`zoo list --models`), or "
            f"go on from it: zoo finetune {shlex.quote(model)} --task TASK --data DATA --out RUN"
        )
    train("pretrain", model, typed, lambda result, _: after_pretraining(result, model))
