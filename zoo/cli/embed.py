"""`zoo embed`."""

from pathlib import Path

import click

from zoo.cli.decoding import lines
from zoo.commands.options import hub
from zoo.commands.output import print_line
from zoo.commands.tables import print_json


@click.command("embed")
@click.argument("weights")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT…")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write them to a .safetensors file.")
@click.option("--normalise", is_flag=True, help="Scale vectors to length 1.")
@click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
@hub
def command(
    weights: str, texts: tuple[str, ...], out: Path | None, normalise: bool, device: str | None, hub: str | None
) -> None:
    """Compute the embedding of each TEXT; `-` reads lines from standard input. Prints JSON unless --out is given."""
    from zoo.inference.load_for_task import load_embedder, write_vectors

    several = lines(texts)
    vectors = load_embedder(weights, hub=hub, device=device)(several, normalise=normalise)
    if out is None:
        print_json([{"text": text, "embedding": row} for text, row in zip(several, vectors.tolist(), strict=True)])
        return
    write_vectors(vectors, out)
    print_line(f"{len(vectors)} texts, {vectors.shape[1]} numbers each  {out}")
