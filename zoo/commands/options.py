"""Options that several commands share."""

from collections.abc import Callable
from typing import Any

import click

from zoo.errors import UsageError
from zoo.registry.registry import default_registry

Command = Callable[..., Any]
_EXAMPLES = {"--arg": "depth=3", "--set": "epochs=5", "--data-set": "skip_bad=3, of images"}

hub = click.option(
    "--hub",
    metavar="URL|FOLDER",
    help="The Hub: a URL, or a local folder. Default: $ZOO_HUB, $HF_ENDPOINT, or the public Hub.",
)

dtype = click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16", "float16"]),
    help="Convert the weights; default: as their config.json says, or as they are stored.",
)


def engine(function: Command) -> Command:
    """Add --engine, whose help names those that plugins offer."""
    names = ", ".join(offer.spec.name for offer in default_registry().offers("engines"))
    said = f"What computes: {names}; default: eager. Its first batch is compared with eager."
    return click.option("--engine", metavar="NAME", help=said)(function)


data_set = click.option(
    "--data-set",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the data's modality, such as skip_bad=3 of images; a wrong NAME lists all.",
)

skip_bad = click.option(
    "--skip-bad",
    default=0,
    type=click.IntRange(0),
    metavar="N",
    help="Skip up to N broken images; other data have no such option.",
)

text_column = click.option(
    "--text", metavar="COLUMN", help="The column of texts in a table; of paired files their end, de."
)


def columns(function: Command) -> Command:
    """Add the options that say which column of a table of texts is what."""
    for option in (
        click.option("--target", metavar="COLUMN", help="The column of target texts to generate."),
        click.option("--label", metavar="COLUMN", help="The column of labels."),
        click.option("--pair", metavar="COLUMN", help="The column of second texts, for tasks on pairs."),
        text_column,
    ):
        function = option(function)
    return function


def columns_of(options: dict[str, Any]) -> dict[str, str]:
    """Take the columns that were typed out of a command's options."""
    typed = {role: options.pop(role) for role in ("text", "pair", "label", "target")}
    return {role: name for role, name in typed.items() if name is not None}


def pairs(values: tuple[str, ...], option: str) -> dict[str, str]:
    """Return NAME=VALUE options as a dictionary."""
    found = {}
    for value in values:
        name, sign, text = value.partition("=")
        if not sign or not name:
            example = _EXAMPLES[option]
            raise UsageError(f"{option} {value!r} is not NAME=VALUE; write for example {option} {example}")
        found[name.strip()] = text
    return found
