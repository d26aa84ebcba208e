"""`zoo predict`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from zoo.api import models
from zoo.cli.decoding import items
from zoo.commands.asking import asked
from zoo.commands.options import Command, dtype, engine, hub
from zoo.commands.output import print_line
from zoo.commands.tables import print_json, print_table, shortened
from zoo.errors import UsageError
from zoo.printable import counted
from zoo.registry.registry import default_registry
from zoo.specs.modality import Predicts
from zoo.specs.records import OptionSpec

_TYPES: dict[str, Any] = {"text": str, "integer": int, "number": float, "path": click.Path(path_type=Path)}


def declared(function: Command) -> Command:
    """Add the options that modalities and tasks declare."""
    registry = default_registry()
    options: dict[str, OptionSpec] = {}
    for kind in ("tasks", "modalities"):
        for offer in registry.offers(kind):
            for option in offer.spec.options:
                options.setdefault(option.name, option)
    for option in options.values():
        function = _option(option)(function)
    return function


def _option(option: OptionSpec) -> Any:
    names = [f"--{option.name}", *([f"-{option.short}"] if option.short else []), option.name.replace("-", "_")]
    if option.type == "flag":
        return click.option(*names, is_flag=True, default=None, help=option.summary)
    return click.option(*names, type=_TYPES[option.type], multiple=option.multiple, help=option.summary)


@click.command("predict")
@click.argument("weights")
@click.argument("inputs", nargs=-1, metavar="INPUTS…")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write predictions there: drawings, masks.")
@click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
@dtype
@engine
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@declared
@hub
def command(
    weights: str,
    inputs: tuple[str, ...],
    out: Path | None,
    device: str | None,
    dtype: str | None,
    engine: str | None,
    as_json: bool,
    hub: str | None,
    **typed: Any,
) -> None:
    """Predict INPUTS with WEIGHTS: images, texts, files with one text per line, tables, folders; `-` is piped lines."""
    options = {name: value for name, value in typed.items() if value not in (None, ())}
    if not inputs and not options:
        raise click.UsageError("Missing argument 'INPUTS…'.")
    predict: Any = getattr(models.load(weights, hub=hub, device=device, dtype=dtype, engine=engine), "predict", None)
    if not isinstance(predict, Predicts):
        raise UsageError(f"{weights} makes no predictions; finetune it for a task first")
    columns, modality = predict.columns, predict.modality
    _check_options(weights, options, modality, models.describe(weights, hub=hub).task)
    found: list[tuple[str, Mapping[str, Any]]] = []
    try:
        found.extend(predict.items(items(inputs), options, out))
    finally:  # what was done is shown, whatever came of the rest
        if found and as_json:
            print_json([{modality: name, **_without_arrays(result)} for name, result in found])
        elif found:
            head = (modality.upper(), *(column.upper() for column in columns))
            print_table(head, [(shortened(name), *predict.row(result)) for name, result in found])
            if out is not None:
                print_line(f"{counted(len(found), 'result')} written to {out}")


def _check_options(weights: str, options: Mapping[str, Any], modality: str, task: str) -> None:
    """Raise UsageError for an option that is another modality's or another task's."""
    known = asked(modality, task).options
    names = {option.name.replace("-", "_") for option in known}
    if strange := [name for name in options if name not in names]:
        has = f"they take {', '.join(f'--{option.name}' for option in known)}" if known else "they take none of these"
        raise UsageError(f"--{strange[0].replace('_', '-')} says nothing to {weights}, for {task}; {has}")


def _without_arrays(result: Mapping[str, Any]) -> dict[str, Any]:
    """Leave arrays out, such as a mask, which --out writes."""
    return {name: value for name, value in result.items() if not hasattr(value, "shape")}
