"""`zoo pretrain`."""

from typing import Any

import click

from zoo import trainings
from zoo.cli.following import after_pretraining
from zoo.cli.options import (
    arguments_of,
    changes,
    columns,
    columns_of,
    hub,
    launched,
    show_rehearsal,
    show_run,
    training,
)


@click.command("pretrain")
@click.argument("model")
@training
@click.option("--arg", "arguments", multiple=True, metavar="NAME=VALUE", help="An argument of the model, as JSON.")
@click.option("--recipe", metavar="NAME|FILE.toml", help="The recipe; default: the model's own.")
@columns
@hub
def command(
    model: str,
    arguments: tuple[str, ...],
    settings: tuple[str, ...],
    batch_size: str | None,
    processes: int | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Train a fresh MODEL by a recipe, without labels or with them."""
    if launched(processes):
        return
    options["settings"] = changes(settings, batch_size)
    options["columns"] = columns_of(options)
    options["arguments"] = arguments_of(arguments)
    if dry_run:
        show_rehearsal(trainings.rehearse("pretrain", model, **options))
        return
    result = trainings.pretrain(model, progress=True, **options)
    show_run(result, lambda: after_pretraining(result, model))
