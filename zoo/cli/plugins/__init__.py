"""`zoo plugins`: list them, write one, check, install and uninstall them."""

import click

from zoo.cli.lazy import LazyCommand
from zoo.cli.plugins.list import list_command, list_installed, listing, show_failure
from zoo.errors import UsageError

_COMMANDS = {
    "new": "Write a plugin that works, to go on from.",
    "check": "Run the conformance suite on what a plugin offers.",
    "manifest": "Write what a plugin offers into its package, as data.",
    "index": "Write a static index of plugins from their wheels.",
    "install": "Install a plugin into this environment.",
    "uninstall": "Remove a plugin, a broken one too.",
}


@click.group("plugins", invoke_without_command=True)
@click.option("--debug", "broken", metavar="NAME", help="Show the traceback of a plugin that did not load.")
@listing
@click.pass_context
def command(context: click.Context, broken: str | None, as_json: bool, strict: bool) -> None:
    """List plugins with their versions: what they offer, or why they failed to load; and extras that are missing."""
    if context.invoked_subcommand is not None:
        if broken or as_json or strict:
            raise UsageError(f"give options behind the command: zoo plugins {context.invoked_subcommand} --help")
    elif broken:
        show_failure(broken)
    else:
        list_installed(as_json=as_json, strict=strict)


command.add_command(list_command)
for _name, _summary in _COMMANDS.items():
    command.add_command(LazyCommand(_name, _summary, f"zoo.cli.plugins.{_name}:{_name}"))
