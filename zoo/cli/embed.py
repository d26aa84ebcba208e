"""`zoo embed`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli.decoding import items as typed_items
from zoo.cli.processes import own_device, share
from zoo.cli.training import launched
from zoo.commands.options import data_set, dtype, engine, hub, pairs, text_column
from zoo.commands.output import print_line
from zoo.commands.tables import print_json, print_table, shortened
from zoo.errors import UsageError
from zoo.registry.registry import default_registry

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.inference.embedding.parts import Plan
    from zoo.specs.modality import Embeds, Samples

_QUERIES = 8
_DRAWN = "neighbours.png"


@click.command("embed")
@click.argument("weights")
@click.argument("items", nargs=-1, metavar="[ITEM]…")
@click.option("--data", metavar="DATA", help="Take a data set by name, a folder or file, or hf://datasets/… instead.")
@click.option("--split", help="Of a data set: train, test, validation, or all; default: all.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where the files of a data set lie.")
@text_column
@data_set
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE|DIR",
    help="Write them to a .safetensors or .parquet file, or a folder of parts; the same command again goes on.",
)
@click.option("--part-size", type=click.IntRange(1), help="Vectors in a part; default: 2048.")
@click.option("--force", is_flag=True, help="Replace other vectors in --out.")
@click.option("--normalize", is_flag=True, help="Make vectors of length 1.")
@click.option(
    "--neighbours",
    type=click.IntRange(1),
    metavar="K",
    help=f"Print the K nearest to each of the first {_QUERIES}; images are drawn too, beside --out.",
)
@click.option("--processes", type=click.IntRange(1), help="Processes on this machine that share the parts of --out.")
@click.option("--batch-size", type=click.IntRange(1), help="Items that go through the model at once.")
@click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
@dtype
@engine
@hub
def command(weights: str, items: tuple[str, ...], out: Path | None, **typed: Any) -> None:
    """Make a vector of each ITEM: images, texts, files or folders of them; `-` is each line of standard input.

    Printed as JSON, unless --out or --neighbours is given. Started by torchrun, processes of several machines share the
    parts of one --out.
    """
    from zoo.inference.embedding.files import check_out
    from zoo.inference.embedding.parts import PART_SIZE, Plan
    from zoo.inference.load_for_task import load_embedder

    if not items and typed["data"] is None:
        raise click.UsageError("Missing argument '[ITEM]…', or --data.")
    if items and typed["data"] is not None:
        raise UsageError("both items and --data say what vectors are to be made of; leave one out")
    _refuse(typed, ("split", "data_dir", "text", "data_set"), typed["data"] is None, "--data")
    _refuse(typed, ("part_size", "force"), out is None, "--out")
    rank, world_size = share()
    processes = max(typed["processes"] or 1, world_size)
    if processes > 1 and (out is None or typed["neighbours"] is not None):
        raise UsageError(
            f"{processes} processes write a folder of parts; give --out DIR, and ask for --neighbours later"
        )
    if out is not None:
        check_out(out, processes)
    if launched(typed["processes"]):
        return
    loading = {name: typed[name] for name in ("hub", "dtype", "engine")}
    loading["device"] = own_device(typed["device"])
    embed, identity = load_embedder(weights, **loading)
    samples = _of_data(embed, typed) if typed["data"] is not None else embed.items(typed_items(items))
    plan = Plan(
        embed=embed,
        samples=samples,
        weights=identity,
        normalize=typed["normalize"] or getattr(embed, "normalizes", False),
        part_size=typed["part_size"] or PART_SIZE,
        batch_size=typed["batch_size"],
        rank=rank,
        world_size=world_size,
    )
    if out is not None:
        _write(plan, out, force=typed["force"])
    elif typed["neighbours"] is None:
        vectors = _vectors(plan).tolist()
        print_json([{embed.modality: _said(plan, row), "embedding": vector} for row, vector in enumerate(vectors)])
    if typed["neighbours"] is not None:
        _show_neighbours(plan, out, typed["neighbours"])


def _refuse(typed: dict[str, Any], names: Sequence[str], missing: bool, wanted: str) -> None:
    """Raise UsageError for an option that means nothing without another."""
    if missing and (idle := next((name for name in names if typed[name] not in (None, (), False)), None)):
        raise UsageError(f"--{idle.replace('_', '-')} says something of {wanted}; give that too, or leave it out")


def _of_data(embed: "Embeds", typed: dict[str, Any]) -> "Samples":
    from zoo.modalities.data_source import data_source, with_options

    column = typed["text"]
    columns = {} if column is None else {"text": column}
    options = pairs(typed["data_set"], "--data-set")
    source = data_source(typed["data"], typed["data_dir"], typed["hub"], options, columns=columns)
    return embed.data(with_options(source, embed.modality), typed["split"] or "all")


def _write(plan: "Plan", out: Path, *, force: bool) -> None:
    from zoo.inference.embedding.files import read_embeddings, write_embeddings
    from zoo.inference.embedding.parts import MANIFEST
    from zoo.inference.embedding.progress import SampleProgress

    unit = default_registry().modality(plan.embed.modality).spec.unit
    own = sum(len(rows) for _, rows in plan.own_parts())
    with SampleProgress(own, unit) as progress:
        made = write_embeddings(plan, out, progress, force=force)
    if plan.world_size > 1 and not (out / MANIFEST).exists():
        print_line(f"process {plan.rank + 1} of {plan.world_size}: {own:,} of {plan.rows:,} {unit}  {out}")
        return
    features = next(read_embeddings(out)).vectors.shape[1]
    print_line(f"{plan.rows:,} {unit}, {features} numbers each  {out}{'' if made else '  (done before)'}")


def _show_neighbours(plan: "Plan", out: Path | None, count: int) -> None:
    from zoo.inference.embedding.files import is_file, read_embeddings
    from zoo.inference.embedding.neighbours import nearest

    if out is None:
        vectors = _vectors(plan)
        found = nearest(lambda: [vectors], _QUERIES, count)
    else:
        found = nearest(lambda: (part.vectors for part in read_embeddings(out)), _QUERIES, count)
    rows = [
        (shortened(_said(plan, row)) if number == 0 else "", f"{cosine:.3f}", shortened(_said(plan, place)))
        for row, near in enumerate(found)
        for number, (place, cosine) in enumerate(near)
    ]
    print_table((plan.embed.modality.upper(), "COSINE", "NEAREST"), rows)
    if out is not None:
        drawn = out.with_name(f"{out.stem}.{_DRAWN}") if is_file(out) else out / _DRAWN
        if plan.embed.draw(plan.samples, found, drawn):
            print_line(f"drawn: {drawn}")


def _vectors(plan: "Plan") -> "Tensor":
    return plan.vectors(range(plan.rows), lambda _: None)


def _said(plan: "Plan", row: int) -> str:
    """Return what a person is shown of a sample: a text itself, the name of anything else."""
    item = plan.samples.items[row]
    return item if isinstance(item, str) else plan.samples.names[row]
