"""`zoo adapters`."""

import math
from pathlib import Path
from typing import Any

import click

import zoo
from zoo.commands.options import hub
from zoo.commands.output import print_line
from zoo.commands.tables import print_json, print_table
from zoo_peft.settings import CONFIG_FILE, TENSORS_FILE


@click.group("adapters")
def command() -> None:
    """List, describe and merge adapters of PEFT."""


@command.command("ls")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_adapters(folder: Path, as_json: bool) -> None:
    """List the adapters in FOLDER, and in the folders in it."""
    found = []
    for path in sorted((*folder.glob(TENSORS_FILE), *folder.glob(f"*/{TENSORS_FILE}"))):
        found.append({"folder": str(path.parent), **_described(path)})
    if as_json:
        print_json(found)
        return
    rows = [(row["folder"], row["kind"], row["rank"], row["base"], f"{row['bytes'] / 1e6:.2f}") for row in found]
    print_table(("ADAPTER", "KIND", "RANK", "BASE", "MB"), rows)


@command.command("show")
@click.argument("adapter")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@hub
def show(adapter: str, as_json: bool, hub: str | None) -> None:
    """Describe ADAPTER, a folder or hf://org/name: its kind, what it corrects, and of which base."""
    path = _file(adapter, hub)
    found = _described(path)
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        print_line(f"{name + ':':12}{f'{value:,}' if isinstance(value, int) else value}")


@command.command("merge")
@click.argument("adapter")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder.")
@click.option("--force", is_flag=True, help="Replace existing files.")
@hub
def merge(adapter: str, out: Path, force: bool, hub: str | None) -> None:
    """Write ADAPTER merged into its base as a folder of weights, which zoo push takes."""
    _file(adapter, hub)
    zoo.save(zoo.load(adapter, hub=hub), out, force=force)
    print_line(f"merged: {out}; push it as any weights: zoo push {out} ORG/NAME")


def _file(adapter: str, hub: str | None) -> Path:
    path = zoo.find_weights(adapter, hub=hub)
    if path.name != TENSORS_FILE:
        raise zoo.UsageError(f"{adapter} holds no adapter of PEFT, which is {CONFIG_FILE} and {TENSORS_FILE}")
    return path


def _described(path: Path) -> dict[str, Any]:
    from zoo_peft.tensors import read_adapter

    found = read_adapter(path)
    settings, headers = found.settings, found.stored.headers
    ranks = sorted({settings.rank_of(pair.module) for pair in found.pairs} or {settings.rank})
    return {
        "kind": "DoRA" if settings.dora else "rsLoRA" if settings.rslora else "LoRA",
        "rank": "-".join(map(str, dict.fromkeys((ranks[0], ranks[-1])))),
        "alpha": settings.alpha,
        "corrects": len(found.pairs),
        "saved": len(found.saved),
        "parameters": sum(math.prod(header.shape) for header in headers.values()),
        "bytes": path.stat().st_size,
        "base": settings.base.source + (f"@{settings.base.revision}" if settings.base.revision else ""),
    }
