"""`zoo registry`."""

from pathlib import Path
from typing import Any

import click

from zoo.commands.options import hub
from zoo.commands.output import print_line
from zoo.commands.tables import print_json, print_table
from zoo.errors import IntegrityError
from zoo.extras import install_command
from zoo.printable import counted

_registry = click.option("--registry", metavar="FILE", help="The registry; default: your first one.")


@click.group("registry")
def command() -> None:
    """Manage registries of published weights: names with their commit and hashes."""


@command.command("add")
@click.argument("repo", metavar="REPO[@REV]")
@click.option("--name", required=True, metavar="ARCH.TAG", help="The name to list it under.")
@click.option("--license", metavar="ID", help="Its licence; default: that of its model card.")
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    help="The run that made it, for its scores; default: those that REPO records.",
)
@click.option("--force", is_flag=True, help="Replace an existing entry.")
@_registry
@hub
def add(
    repo: str, name: str, license: str | None, run: Path | None, force: bool, registry: str | None, hub: str | None
) -> None:
    """Fetch and verify REPO, and list it with its commit, every hash, and the scores of the run that made it."""
    from zoo.publishing.registry_file import add_weights, own_registry

    path = own_registry(registry)
    repo, _, revision = repo.removeprefix("hf://").partition("@")
    entry = add_weights(
        repo, name, revision=revision or None, hub=hub, path=path, license=license, force=force, run=run
    )
    print_line(
        f"{name}: {entry.repo} at {entry.revision[:7]}, {counted(len(entry.files), 'file')}, {entry.license}  {path}"
    )


@command.command("remove")
@click.argument("name")
@_registry
def remove(name: str, registry: str | None) -> None:
    """Remove NAME from a registry; pulled files stay."""
    from zoo.publishing.registry_file import own_registry, remove_weights

    remove_weights(name, own_registry(registry))
    print_line(f"{name} removed from {own_registry(registry)}")


@command.command("check")
@_registry
@hub
def check(registry: str | None, hub: str | None) -> None:
    """Check on the Hub that every entry still exists with its commit and hashes, and has a licence."""
    from zoo.publishing.registry_file import check_weights, own_registry

    path = own_registry(registry)
    if not path.is_file():
        print_line(f"no registry {path} yet; `zoo registry add` makes it")
        return
    wrong = 0
    for name, fault in check_weights(path, hub):
        wrong += fault is not None
        print_line(f"{name}: {fault or 'ok'}")
    if wrong:
        raise IntegrityError(f"{wrong} entries of {path} are wrong; correct them, or `zoo registry remove NAME`")


@command.command("search")
@click.argument("pattern", required=False)
@click.option("--registry", metavar="FILE|hf://REPO", help="A registry that takes precedence.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@hub
def search(pattern: str | None, registry: str | None, as_json: bool, hub: str | None) -> None:
    """Show the names that match PATTERN and the registry that each comes from; later registries win."""
    from zoo.registry.registry import matches
    from zoo.weights.find import WeightsQuery, registry_for

    found = registry_for(WeightsQuery(registry=registry, hub=hub))
    installed = {plugin.distribution for plugin in found.plugins}
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "repo": entry.repo,
            "task": entry.task,
            "license": entry.license,
            "listed in": list(found.catalogue.origins[name]),
            "needs": None if entry.plugin in installed else install_command(entry.plugin),
        }
        for name, entry in sorted(found.catalogue.entries.items())
        if matches(name, pattern) or matches(entry.repo, pattern) or matches(entry.task, pattern)
    ]
    if as_json:
        print_json(rows)
        return
    print_table(
        [key.upper() for key in ("name", "repo", "task", "license", "listed in", "needs")],
        [[" < ".join(cell) if isinstance(cell, list) else cell or "" for cell in row.values()] for row in rows],
    )
    print_line(f"{len(rows)} weights. `zoo pull NAME` fetches them")
