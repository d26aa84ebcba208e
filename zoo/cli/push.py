"""`zoo push`."""

from pathlib import Path

import click

from zoo import api
from zoo.cli.options import hub


@click.command("push")
@click.argument("source", metavar="RUN_OR_FOLDER", type=click.Path(path_type=Path))
@click.argument("repo", metavar="NAMESPACE/NAME")
@click.option("--private/--public", default=True, show_default=True, help="Who may see a repo that is made.")
@click.option("--tag", help="Tag the commit.")
@click.option("--message", help="The commit's message.")
@click.option("--for", "library", type=click.Choice(["timm", "transformers"]), help="Let this library open it, too.")
@hub
def command(
    source: Path,
    repo: str,
    private: bool,
    tag: str | None,
    message: str | None,
    library: str | None,
    hub: str | None,
) -> None:
    """Send a run's weights, or a weights folder, to a Hub in one commit, and read back what it serves."""
    pushed = api.push(source, repo, hub=hub, private=private, tag=tag, message=message, library=library, progress=True)
    size = sum(file.size for file in pushed.files)
    what = "pushed" if pushed.changed else "unchanged"
    where = hub or pushed.url
    click.echo(
        f"{what}: {repo} at {pushed.commit[:7]} on {where}, {len(pushed.files)} files, {size / 1e6:.1f} MB, verified"
    )
    click.echo(f"get it:  zoo pull hf://{repo}" + (f" --hub {hub}" if hub else ""))
