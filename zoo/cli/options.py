"""Options that several commands share."""

from collections.abc import Callable
from typing import Any

import click

Command = Callable[..., Any]

hub = click.option(
    "--hub",
    metavar="URL|FOLDER",
    help="The Hub: an address, or a folder of one's own. Default: $ZOO_HUB, $HF_ENDPOINT, or the public one.",
)


def columns(function: Command) -> Command:
    """Add the options that say which column of a table of texts is what."""
    for option in (
        click.option("--target", metavar="COLUMN", help="The column of what is to be written for a text."),
        click.option("--label", metavar="COLUMN", help="The column of labels."),
        click.option("--pair", metavar="COLUMN", help="The column of second texts, where two are looked at."),
        click.option("--text", metavar="COLUMN", help="The column of texts in a table; of paired files their end, de."),
    ):
        function = option(function)
    return function


def columns_of(options: dict[str, Any]) -> dict[str, str]:
    """Take the columns that were typed out of a command's options."""
    typed = {role: options.pop(role) for role in ("text", "pair", "label", "target")}
    return {role: name for role, name in typed.items() if name is not None}
