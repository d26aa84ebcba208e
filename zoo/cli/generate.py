"""`zoo generate`."""

from typing import Any

import click

from zoo.cli.decoding import decoding, one_text, typed
from zoo.cli.options import hub
from zoo.cli.output import print_line, print_text
from zoo.cli.tables import print_json


@click.command("generate")
@click.argument("weights")
@click.argument("text")
@decoding()
@click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@hub
def command(weights: str, text: str, device: str | None, as_json: bool, hub: str | None, **asked: Any) -> None:
    """Print what WEIGHTS write behind TEXT as it is written, or of it where they read it; `-` is standard input."""
    from zoo.writers import load_writer

    prompt = one_text(text)
    generate = load_writer(weights, hub=hub, device=device)
    if as_json:
        print_json({"prompt": prompt, "text": generate(prompt, **typed(asked))})
        return
    for piece in generate.stream(prompt, **typed(asked)):
        print_text(piece)
    print_line()
