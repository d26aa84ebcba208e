"""`zoo evaluate`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from zoo.api import training
from zoo.commands.options import columns, columns_of, data_set, hub, pairs, skip_bad
from zoo.commands.output import print_line
from zoo.commands.tables import format_scores, print_json, print_table
from zoo.errors import UsageError
from zoo.files import storage_errors, write_file
from zoo.printable import counted


@click.command("evaluate")
@click.argument("weights")
@click.option("--data", required=True, help="A data set's name, a folder of images, or text files.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder with the data set's files.")
@skip_bad
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE.jsonl", help="Write each sample's prediction there."
)
@click.option("--device", help="cpu, cuda, cuda:1; default: a GPU if available.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@data_set
@columns
@hub
def command(
    weights: str, data: str, out: Path | None, as_json: bool, data_set: tuple[str, ...], **options: Any
) -> None:
    """Score WEIGHTS on a data set, with the recipe that trained them: on its test split, or all of it."""
    if out is not None and out.suffix != ".jsonl":
        raise UsageError(
            f"--out {out} is no name of JSON lines, which are written; say --out {out.with_suffix('.jsonl')}"
        )
    if out is not None and out.exists():
        raise UsageError(f"{out} exists; remove it, or choose another --out")
    options["data_options"] = pairs(data_set, "--data-set")
    found = training.evaluated(weights, data=data, columns=columns_of(options), each=out is not None, **options)
    if out is not None and found.predictions is not None:  # before anything is printed, which may find no reader
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found.predictions)
        with storage_errors(f"writing predictions to {out}"):
            out.parent.mkdir(parents=True, exist_ok=True)
            write_file(out, lines.encode())
    named = {f"{figure}/{name}" for name, values in found.by_class.items() for figure in values}
    scores = {name: value for name, value in found.scores.items() if name not in named}
    if as_json:
        print_json(
            {"samples": found.samples, **found.scores, **({"classes": found.by_class} if found.by_class else {})}
        )
    else:
        print_line(f"{weights} on {data}, {counted(found.samples, 'sample')}: {format_scores(scores)}")
        _print_classes(found.by_class)
    if out is not None and found.predictions is not None:
        print_line(f"{counted(len(found.predictions), 'prediction')} written to {out}", err=as_json)


def _print_classes(by_class: Mapping[str, Mapping[str, float]]) -> None:
    if by_class:
        names = list(dict.fromkeys(figure for values in by_class.values() for figure in values))
        rows = [
            (name, *(f"{values[key]:.4g}" if key in values else "-" for key in names))
            for name, values in by_class.items()
        ]
        print_table(("CLASS", *(name.upper() for name in names)), rows)
