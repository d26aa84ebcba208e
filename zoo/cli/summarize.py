"""`zoo summarize`."""

import os.path
from pathlib import Path
from typing import Any

import click

from zoo.cli.decoding import decoding, one_text, typed
from zoo.commands.options import hub
from zoo.commands.output import print_text
from zoo.commands.tables import print_json
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
    """Summarize each TEXT, or text FILE, to one line; `-` is standard input. Uses 4 beams by default."""
    from zoo.inference.load_for_task import load_writer

    several = [decoded(Path(text).read_bytes(), text) if os.path.isfile(text) else one_text(text) for text in texts]
    written = load_writer(weights, "summarization", hub=hub, device=device)(several, **{"beams": 4, **typed(asked)})
    if as_json:
        print_json([{"text": text, "summary": found} for text, found in zip(several, written, strict=True)])
        return
    for found in written:
        print_text(f"{found}\n")
