"""`zoo plugins uninstall`."""

import click

from zoo.authoring.installing import check_removable
from zoo.authoring.installing import uninstall as uninstall_plugin
from zoo.cli.plugins.asking import agreed
from zoo.commands.output import print_line


@click.command("uninstall")
@click.argument("plugin")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def uninstall(plugin: str, yes: bool) -> None:
    """Remove PLUGIN from this environment by its pip; one that is broken, too."""
    check_removable(plugin)
    if yes or agreed(f"uninstall {plugin}"):
        uninstall_plugin(plugin)
        print_line(f"uninstalled: {plugin}")
