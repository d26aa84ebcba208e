"""`zoo plugins install`."""

import json
import subprocess
import sys

import click

from zoo.authoring.installing import install as install_planned
from zoo.authoring.installing import planned
from zoo.cli.plugins.asking import agreed
from zoo.commands.output import print_line


@click.command("install")
@click.argument("plugin")
@click.option("--upgrade", "-U", is_flag=True, help="Also where a version is here already.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def install(plugin: str, upgrade: bool, yes: bool) -> None:
    """Install PLUGIN into this environment by its pip: a name, a git URL, a wheel or a folder.

    What would change is shown first. What would replace anything by an older version is refused.
    """
    changes = planned(plugin, upgrade=upgrade)
    for change in changes:
        print_line(change.described())
    if not changes:
        print_line(f"{plugin} is installed already; --upgrade looks for a newer version")
        return
    if not any(change.older for change in changes) and not yes and not agreed("install"):
        return
    for name in install_planned(plugin, changes, upgrade=upgrade):
        print_line(f"installed: {name}, {_offers(name)}")


def _offers(name: str) -> str:
    """Return what a plugin that was just installed offers, as a fresh process sees it."""
    done = subprocess.run(
        [sys.executable, "-m", "zoo", "plugins", "list", "--json"], capture_output=True, text=True, check=True
    )
    key = name.lower().replace("_", "-")
    row = next((row for row in json.loads(done.stdout) if row["plugin"] == key), None)
    if row is None:
        return "which ZOO_LOAD_PLUGINS leaves out"
    if row["error"]:
        return str(row["error"])
    return (
        "; ".join(f"{kind} {', '.join(names)}" for kind, names in row["offers"].items() if names)
        or "which offers nothing"
    )
