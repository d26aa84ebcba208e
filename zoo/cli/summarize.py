"""`zoo summarize`."""

import os.path
from pathlib import Path
from typing import Any

import click

from zoo.cli.decoding import decoding, one_text, typed
from zoo.cli.options import hub
from zoo.cli.output import print_text
from zoo.cli.tables import print_json
from zoo.data.text.utf8 import decoded


@click.command("summarize")
@click.argument("weights")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT|FILE…")
@decoding("max_new_tokens", "beams", "length_penalty", "repetition_penalty")
@click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@hub
def command(
    weights: str, texts: tuple[str, ...], device: str | None, as_json: bool, hub: str | None, **asked: Any
) -> None:
    """Print the summary of each TEXT, or FILE of text, on a line; `-` is standard input. 4 beams unless told."""
    from zoo.writers import load_writer

    several = [decoded(Path(text).read_bytes(), text) if os.path.isfile(text) else one_text(text) for text in texts]
    written = load_writer(weights, "summarization", hub=hub, device=device)(several, **{"beams": 4, **typed(asked)})
    if as_json:
        print_json([{"text": text, "summary": found} for text, found in zip(several, written, strict=True)])
        return
    for found in written:
        print_text(f"{found}\n")
