"""`zoo generate`."""

from typing import Any

import click

from zoo.cli.decoding import decoding, one_text, typed
from zoo.commands.options import dtype, hub
from zoo.commands.output import print_line, print_text
from zoo.commands.tables import print_json


@click.command("generate")
@click.argument("weights")
@click.argument("text")
@decoding()
@click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
@dtype
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@hub
def command(
    weights: str, text: str, device: str | None, dtype: str | None, as_json: bool, hub: str | None, **requested: Any
) -> None:
    """Generate a continuation of TEXT, or for an encoder-decoder its output, as a stream; `-` is standard input."""
    from zoo.inference.load_for_task import load_writer

    prompt = one_text(text)
    generate = load_writer(weights, hub=hub, device=device, dtype=dtype)
    if as_json:
        print_json({"prompt": prompt, "text": generate(prompt, **typed(requested))})
        return
    for piece in generate.stream(prompt, **typed(requested)):
        print_text(piece)
    print_line()
