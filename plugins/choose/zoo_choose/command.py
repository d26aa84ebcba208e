"""`zoo choose`."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import zoo
from zoo.commands.options import columns, columns_of, data_set, hub, pairs
from zoo.commands.output import print_line
from zoo.commands.tables import millions, print_json, print_table
from zoo_choose.advice import said
from zoo_choose.choosing import Choice, Request, choose
from zoo_choose.halving import SCRATCH
from zoo_choose.ranking import Ranked

_SHOWN = 10
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_BYTES = {"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12}


def amount(text: str, units: Mapping[str, float], option: str) -> float:
    """Return a number with a unit, as 10m or 4GB. Raise UsageError for anything else."""
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?) ?([a-zA-Z]*)", text)
    if found is None or found[2].lower() not in units:
        known = [unit for unit in units if unit]
        example = f"write for example {option} 10{known[1]}"
        raise zoo.UsageError(f"{option} {text!r} is not a number with one of {', '.join(known)}; {example}")
    return float(found[1]) * units[found[2].lower()]


@click.command("choose")
@click.option("--task", required=True, help="What the weights are to be finetuned for: `zoo list --tasks`.")
@click.option("--data", required=True, metavar="DATA", help="A data set's name, a folder, or hf://datasets/org/name.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where the files of a named data set lie.")
@click.option(
    "--candidates",
    "-c",
    multiple=True,
    metavar="NAME|PATTERN|FILE",
    help="Weights, runs, patterns, or a file with one a line; default: the catalogue.",
)
@click.option(
    "--budget",
    default="0",
    metavar="TIME",
    help="Finetune the best few for this long in all, such as 10m; default: none.",
)
@click.option("--memory", metavar="BYTES", help="Leave out what needs more to train, such as 4GB.")
@click.option(
    "--license-allows", type=click.Choice(["commercial"]), help="Leave out whose licence is not known to allow it."
)
@click.option("--labels", type=click.IntRange(1), help="How many labels there will be to finetune on; default: all.")
@click.option(
    "--samples", type=click.IntRange(2), default=2000, show_default=True, help="Look at so many samples at most."
)
@click.option(
    "--pull",
    default="0",
    metavar="BYTES",
    help="Pull candidates that are not here, up to so much in all, such as 500MB.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("choice"),
    show_default=True,
    help="Where table, picture and runs go.",
)
@click.option("--resume", is_flag=True, help="Go on where the same command was interrupted.")
@click.option("--device", help="cpu, cuda; default: what there is.")
@columns
@data_set
@hub
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(task: str, data: str, as_json: bool, **options: Any) -> None:
    """Choose pretrained weights for a task: by what their features tell of the data, then by finetuning the best few.

    Accuracy is foretold by linear classifiers on frozen features of up to 2,000 training samples, by cross-validation;
    features are kept, so that the same question costs little again. Where the data cannot tell candidates apart
    the cheapest comes first. The test split is never looked at.
    """
    arguments = {
        "data_dir": options["data_dir"],
        "hub": options["hub"],
        "device": options["device"],
        "columns": columns_of(options) or None,
        "data_options": pairs(options["data_set"], "--data-set") or None,
    }
    request = Request(
        task=task,
        data=data,
        candidates=options["candidates"],
        out=options["out"],
        budget=amount(options["budget"], _SECONDS, "--budget"),
        memory=None if options["memory"] is None else amount(options["memory"], _BYTES, "--memory"),
        license_allows=options["license_allows"],
        labels=options["labels"],
        pull=int(amount(options["pull"], _BYTES, "--pull")),
        samples=options["samples"],
        seed=options["seed"],
        resume=options["resume"],
        arguments={name: value for name, value in arguments.items() if value is not None},
    )
    found = choose(request, lambda line: print_line(line, err=True))
    _written(found)
    if as_json:
        print_json(described(found))
        return
    _print(found)


def described(found: Choice) -> dict[str, Any]:
    """Return a choice as JSON has it."""
    return {
        "task": found.request.task,
        "data": found.request.data,
        "candidates": [_row(item, found) for item in found.ranked],
        "baseline": None if found.classical is None else dataclasses.asdict(found.classical),
        "from scratch": found.tried.get(SCRATCH),
        "method": dataclasses.asdict(found.method),
        "advice": said(found),
        "left out": {candidate.name: candidate.refused for candidate in found.refused},
        "command": found.command,
    }


def _row(item: Ranked, found: Choice) -> dict[str, Any]:
    estimate = item.estimate
    return {
        "name": item.name,
        "score": estimate.probed.score,
        "interval": [item.low, item.high],
        "tied": item.tied,
        "finetuned": found.tried.get(item.name),
        "h_score": estimate.h_score,
        "log_me": estimate.log_me,
        "n_leep": estimate.n_leep,
        "parameters": estimate.parameters,
        "seconds": estimate.seconds,
        "memory": estimate.memory,
        "bytes": estimate.bytes,
        "license": estimate.license,
    }


def _written(found: Choice) -> None:
    import json

    from zoo_choose.drawing import draw

    out = found.request.out
    out.mkdir(parents=True, exist_ok=True)
    draw(found.ranked, out / "choice.png")
    with zoo.storage_errors(f"writing {out}"):
        zoo.write_file(out / "choice.json", json.dumps(described(found), indent=1).encode())


def _print(found: Choice) -> None:
    print_table(
        ("WEIGHTS", "SCORE", "95 %", "FINETUNED", "S/EPOCH", "MEMORY", "PARAMETERS", "BYTES", "LICENSE"),
        [
            *(
                (
                    item.name,
                    f"{item.estimate.probed.score:.1f}",
                    f"{item.low:.1f} to {item.high:.1f}{' =' if item.tied else ''}",
                    f"{found.tried[item.name]:.1f}" if item.name in found.tried else "-",
                    f"{item.estimate.seconds:.1f}",
                    f"{item.estimate.memory / 1e9:.1f} GB",
                    millions(item.estimate.parameters),
                    f"{item.estimate.bytes / 1e6:.1f} MB",
                    item.estimate.license or "-",
                )
                for item in found.ranked
            ),
            *_simpler(found),
        ],
    )
    tied = sum(item.tied for item in found.ranked)
    if tied > 1 and not found.tried:
        print_line(f"= the samples cannot tell these {tied} apart; the cheapest comes first")
    for candidate in found.refused[:_SHOWN]:
        print_line(f"left out: {candidate.name}: {candidate.refused}")
    if len(found.refused) > _SHOWN:
        print_line(f"left out: {len(found.refused) - _SHOWN} others; {found.request.out / 'choice.json'} says why")
    for line in said(found):
        print_line(line)
    print_line(f"drawn: {found.request.out / 'choice.png'}")
    print_line(f"next: {found.command}")


def _simpler(found: Choice) -> list[tuple[str, ...]]:
    """Return the rows of what needs no pretrained weights."""
    rows = []
    if (simple := found.classical) is not None:
        mark = "" if simple.behind else " ="
        rows.append((simple.name, f"{simple.score:.1f}", f"{simple.low:.1f} to {simple.high:.1f}{mark}", *"------"))
    if SCRATCH in found.tried:
        rows.append((SCRATCH, "-", "-", f"{found.tried[SCRATCH]:.1f}", *"-----"))
    return rows
