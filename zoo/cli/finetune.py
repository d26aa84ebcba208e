"""`zoo finetune`."""

from typing import Any

import click

from zoo import trainings
from zoo.cli.following import after_finetuning
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


@click.command("finetune")
@click.argument("weights")
@training
@click.option("--task", required=True, help="What for, such as image-classification.")
@click.option(
    "--method",
    type=click.Choice(["full", "gradual", "frozen", "lora", "scratch"]),
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
def command(
    weights: str,
    arguments: tuple[str, ...],
    settings: tuple[str, ...],
    batch_size: str | None,
    processes: int | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Train WEIGHTS (a name, hf://…, a run or a folder) on for a task."""
    if launched(processes):
        return
    options["settings"] = changes(settings, batch_size)
    options["columns"] = columns_of(options)
    options["arguments"] = arguments_of(arguments) or None
    if dry_run:
        show_rehearsal(trainings.rehearse("finetune", weights, **options))
        return
    result = trainings.finetune(weights, progress=True, **options)
    show_run(result, lambda: after_finetuning(result, options["data"], options["columns"]))
