"""`zoo tokenizer`."""

from pathlib import Path
from typing import Any

import click

from zoo.cli.decoding import one_text
from zoo.commands.options import hub
from zoo.commands.output import print_line
from zoo.commands.tables import print_json, print_table
from zoo.printable import counted
from zoo.weights.tokenizer_training import KINDS


@click.group("tokenizer")
def command() -> None:
    """Train a tokenizer, or show the tokens of a text."""


@command.command("train")
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DATA…")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="bpe",
    show_default=True,
    help="Kind of tokenizer.",
)
@click.option("--size", default=8000, show_default=True, type=int, help="Maximum size of the vocabulary.")
@click.option("--keep-case", is_flag=True, help="For wordpiece: keep case and accents.")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The .json to write.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def train(data: tuple[Path, ...], kind: str, size: int, keep_case: bool, out: Path, force: bool) -> None:
    """Train a tokenizer on DATA: .txt and .md files, or folders of them."""
    from zoo.inference.tokenizers import train_tokenizer

    made = train_tokenizer(data, out, kind=kind, size=size, lower=not keep_case, force=force)
    print_line(f"{kind}, {counted(made.num_tokens, 'token')}  {out}")


@command.command("show")
@click.argument("source", metavar="WEIGHTS|FILE")
@click.argument("text", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@hub
def show(source: str, text: str | None, as_json: bool, hub: str | None) -> None:
    """Show the tokenizer of WEIGHTS, or in a tokenizer.json, or the tokens of TEXT; `-` is standard input."""
    from zoo.inference.tokenizers import described_tokenizer, find_tokenizer, tokens_of

    tokenizer = find_tokenizer(source, hub=hub)
    found: Any = described_tokenizer(tokenizer) if text is None else tokens_of(tokenizer, one_text(text))
    if as_json:
        print_json(found)
    elif text is None:
        width = max(map(len, found))
        for name, value in found.items():
            print_line(f"{name.ljust(width)}  {value}")
    else:
        print_table(("ID", "TOKEN", "TEXT"), [(str(item["id"]), item["token"], repr(item["text"])) for item in found])
        print_line(f"{counted(len(found), 'token')}")
