"""`zoo push`."""

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from zoo.api import transfer
from zoo.commands.options import dtype, hub
from zoo.commands.output import ask, print_line, print_text
from zoo.commands.tables import print_table
from zoo.errors import UsageError
from zoo.printable import counted

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}


def _size(context: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    number, unit = text[:-2], text[-2:].upper()
    if unit not in _UNITS or not number.replace(".", "", 1).isdigit() or not float(number):
        raise click.BadParameter(f"{text!r} is not a size; write for example 5GB")
    return int(float(number) * _UNITS[unit])


@click.command("push")
@click.argument("source", metavar="RUN_OR_FOLDER", type=click.Path(path_type=Path))
@click.argument("repo", metavar="NAMESPACE/NAME")
@click.option("--private/--public", default=None, help="Visibility of a new repo; a terminal asks.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and the model card; send nothing.")
@click.option("--create-pr", is_flag=True, help="Propose the commit in a pull request.")
@click.option("--tag", help="Tag the commit.")
@click.option("--message", help="The commit's message.")
@click.option(
    "--license", metavar="ID", help="The weights' licence, such as apache-2.0; default: that of the model card."
)
@click.option("--max-shard-size", metavar="SIZE", callback=_size, help="Split larger weights, such as 5GB.")
@click.option("--readme", type=click.Choice(["here", "hub"]), help="Which README to keep if both were edited.")
@click.option(
    "--for", "library", type=click.Choice(["timm", "transformers"]), help="Make the repo loadable by this library, too."
)
@click.option("--adapter", is_flag=True, help="Push only the adapter that --method lora trained.")
@click.option("--sign", metavar="KEY", type=click.Path(path_type=Path), help="Sign with this private key (PEM).")
@dtype
@hub
def command(source: Path, repo: str, dry_run: bool, private: bool | None, hub: str | None, **options: Any) -> None:
    """Upload a run's weights, or a weights folder, to a Hub in one commit, and verify what it serves."""
    if dry_run:
        _show(transfer.plan_push(source, repo, hub=hub, private=private, **options), private)
        return
    if private is None:
        transfer.check_source(source, repo)  # before anybody is asked
        if not transfer.repo_exists(repo, hub=hub):
            private = _asked(repo)
    pushed = transfer.push(source, repo, hub=hub, private=private, progress=sys.stderr.isatty(), **options)
    size = sum(file.size for file in pushed.files)
    what = "pushed" if pushed.changed else "unchanged"
    where = hub or pushed.url
    print_line(
        f"{what}: {repo} at {pushed.commit[:7]} on {where}, {counted(len(pushed.files), 'file')}, "
        f"{size / 1e6:.1f} MB, verified"
    )
    if pushed.pull_request:
        print_line(f"proposed in {pushed.pull_request}")
    else:
        print_line(f"get it:  zoo pull hf://{repo}" + (f" --hub {shlex.quote(hub)}" if hub else ""))


def _asked(repo: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(f"{repo} does not exist yet; choose its visibility: --private or --public")
    return ask(f"{repo} is new; who may see it?", ["private", "public"]) == "private"


def _show(plan: Any, private: bool | None) -> None:
    sent = [file for file in plan.files if file.change in ("new", "changed")]
    visible = "" if plan.exists or private is None else " (private)" if private else " (public)"
    doing = "change" if plan.exists else "create"
    print_line(
        f"would {doing} {plan.repo}{visible} on {plan.url}: {counted(len(sent), 'file')}, "
        f"{sum(file.size for file in sent) / 1e6:.1f} MB, {counted(1 if sent else 0, 'commit')}"
    )
    print_table(("FILE", "BYTES", "CHANGE"), [(file.name, f"{file.size:,}", file.change) for file in plan.files])
    print_text(f"\n{plan.card}")
