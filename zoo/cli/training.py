"""What the two commands that train share: their options, and what they do with them."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from zoo.api import training
from zoo.cli.processes import first_process
from zoo.commands.options import Command, columns_of, data_set, pairs, skip_bad
from zoo.commands.output import print_line
from zoo.commands.tables import format_scores, print_json
from zoo.engine.options import RunOptions
from zoo.printable import counted
from zoo.training.result import RunResult

if TYPE_CHECKING:
    from zoo.training.dry_run import DryRun

_SHOWN_CLASSES = 12


def training_options(function: Command) -> Command:
    """Add the options of the commands that train."""
    for option in (
        click.option(
            "--stall-seconds",
            default=RunOptions.stall_seconds,
            show_default=True,
            type=click.FloatRange(0),
            help="End the run after so long without a step; 0: never.",
        ),
        click.option("--track", multiple=True, metavar="NAME", help="tensorboard, or package.module:attribute."),
        click.option(
            "--keep",
            default=RunOptions.keep,
            show_default=True,
            type=click.IntRange(1),
            help="Number of checkpoints to keep.",
        ),
        click.option(
            "--sharding",
            type=click.Choice(["ddp", "fsdp"]),
            default=RunOptions.sharding,
            show_default=True,
            help="With several processes: replicate the model (ddp) or shard it (fsdp).",
        ),
        click.option("--processes", type=click.IntRange(1), help="Number of processes on this machine."),
        click.option("--device", help="cpu, cuda, cuda:1; default: a GPU if available."),
        click.option("--force", is_flag=True, help="Replace an existing run."),
        click.option("--override", is_flag=True, help="With --resume: accept changed settings."),
        click.option("--resume", is_flag=True, help="Resume the existing run."),
        click.option("--out", required=True, type=click.Path(path_type=Path), metavar="RUN", help="The run's folder."),
        click.option("--dry-run", is_flag=True, help="Check everything and time a few steps without writing anything."),
        click.option(
            "--batch-size", metavar="N|auto", help="Same as --set batch_size=N; auto: as large as fits in memory."
        ),
        click.option(
            "--budget", metavar="TIME", help="Same as --set steps=TIME, such as 10m: as many steps as fit into it here."
        ),
        click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a recipe setting."),
        skip_bad,
        data_set,
        click.option("--data-dir", type=click.Path(path_type=Path), help="Folder with the data set's files."),
        click.option("--data", required=True, help="A data set's name, a folder of images, or text files."),
    ):
        function = option(function)
    return function


def train(
    stage: Literal["pretrain", "finetune"],
    name: str,
    typed: dict[str, Any],
    following: Callable[[RunResult, dict[str, Any]], list[str]],
) -> None:
    """Pretrain or finetune as was typed, on several processes if asked; print what came of it, and what follows.

    `following` gets what came of it, and what was asked for.
    """
    if launched(typed.pop("processes")):
        return
    options, dry_run, as_json = typed, typed.pop("dry_run"), typed.pop("as_json", False)
    options["settings"] = changes(options["settings"], options.pop("batch_size"), options.pop("budget"))
    options["columns"] = columns_of(options)
    options["data_options"] = pairs(options.pop("data_set"), "--data-set")
    options["arguments"] = arguments_of(options["arguments"])
    if dry_run:
        show_rehearsal(training.dry_run(stage, name, **options))
        return
    go = training.pretrain if stage == "pretrain" else training.finetune
    result = go(name, progress=True, **options)
    if not as_json:
        show_run(result, lambda: following(result, options))
    elif first_process():
        print_json(dataclasses.asdict(result))


def launched(processes: int | None) -> bool:
    """Run the command that was typed on several processes, where that was asked for; tell whether it was."""
    if processes is None or processes == 1:
        return False
    from zoo.engine.launch import launch

    context = click.get_current_context()
    typed = iter(context.find_root().obj)
    arguments = [word for word in typed if not (word == "--processes" and next(typed)) and "--processes=" not in word]
    context.exit(launch(arguments, processes))


def arguments_of(values: tuple[str, ...]) -> dict[str, Any]:
    """Return the model's own arguments as they were typed: JSON, or else a text."""
    found: dict[str, Any] = {}
    for name, text in pairs(values, "--arg").items():
        try:
            found[name] = json.loads(text)
        except json.JSONDecodeError:
            found[name] = text
    return found


def changes(settings: tuple[str, ...], batch_size: str | None, budget: str | None = None) -> dict[str, str]:
    """Return what was typed of settings."""
    typed = {"batch_size": batch_size, "steps": budget}
    return {**pairs(settings, "--set"), **{name: value for name, value in typed.items() if value}}


def show_rehearsal(found: "DryRun") -> None:
    """Print what a run would take."""
    if not first_process():
        return
    duration = f"{found.hours * 60:.1f} min" if found.hours < 2 else f"{found.hours:.1f} h"
    rows = [
        (
            "would train",
            f"{found.model} by {found.recipe}, {counted(found.steps, 'step')} of {counted(found.batch_size, 'sample')}",
        ),
        ("data", f"{found.data}: {found.train_samples:,} train, {found.test_samples:,} test"),
        *([("classes", _shares(found.classes))] if found.classes else []),
        ("a batch here", f"{found.batch_shape} on {found.device}, rank 0 of {found.processes}"),
        ("parameters", f"{found.parameters:,}, {found.trained_parameters:,} of them trained"),
        ("rate", f"learning rate {found.learning_rate:g} at its peak"),
        (
            "cost",
            f"{found.flops_per_sample / 1e6:,.1f} MFLOP a sample forward and back, {found.flops / 1e12:,.3g} TFLOP",
        ),
        ("speed", f"{found.samples_per_second:,.0f} samples/s"),
        ("time", f"{duration}, {found.evaluation_seconds:.0f} s of it for scores"),
        ("memory", f"{found.memory / 1e6:,.0f} MB"),
        ("disk", f"{found.disk_needed / 1e6:,.0f} MB of {found.disk_free / 1e9:,.0f} GB free"),
    ]
    for name, value in rows:
        print_line(f"{name:12}  {value}")
    print_line("nothing was written; run without --dry-run to train")


def _shares(classes: Mapping[str, float]) -> str:
    """Return classes with their shares, the most frequent first."""
    ranked = sorted(classes.items(), key=lambda item: -item[1])
    shown = [f"{name} {share:.1%}" for name, share in ranked[:_SHOWN_CLASSES]]
    more = len(ranked) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def show_run(result: RunResult, following: Callable[[], list[str]]) -> None:
    """Print what a run has made, and what can be done next; of several processes the first one does."""
    if not first_process():
        return
    print_line(f"{result.folder}: test {format_scores(result.scores)} · {result.seconds:.0f} s")
    for picture in result.pictures:
        print_line(f"  {picture}")
    _show_baselines(result)
    print_line("next:")
    for line in following():
        print_line(f"  {line}")


def _show_baselines(result: RunResult) -> None:
    """Print what pretrained weights are worth here, and say so where they are worth nothing."""
    for entry in result.baselines:
        print_line(f"  beside it, {entry.name}: test {format_scores(entry.scores)}")
    winner = next((entry for entry in result.baselines if entry.name == result.best), None)
    if winner is not None:
        print_line(
            f"{winner.name} wins: pretrained weights, finetuned so, gain nothing on these data; try other weights or "
            "settings, or keep to what wins"
        )
    elif result.baselines:
        print_line("the pretrained weights win, with one seed; others may end otherwise where scores are near")
