"""`zoo plugins index`."""

from pathlib import Path

import click

from zoo.authoring.index import write_index
from zoo.commands.output import print_line
from zoo.errors import UsageError


@click.command("index")
@click.argument("wheels", nargs=-1, required=True, metavar="WHEEL|FOLDER…", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@click.option(
    "--results",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="What `zoo plugins check PLUGIN --json` printed; may be given several times.",
)
def index(wheels: tuple[Path, ...], out: Path, results: tuple[Path, ...]) -> None:
    """Write a static index of plugins, as JSON and HTML, from their wheels; nothing in them is imported.

    Results of the conformance suite are shown with their dates. What is broken, or no plugin, is listed in errors.json
    with its reason.
    """
    paths = [path for given in wheels for path in (sorted(given.glob("*.whl")) if given.is_dir() else [given])]
    if not paths:
        raise UsageError(f"no wheels in {wheels[0]}; build them: pip wheel --no-deps FOLDER")
    found, errors = write_index(paths, out, results)
    for name, reason in errors.items():
        print_line(f"left out: {name}: {reason}")
    print_line(f"{out}/index.html: {len(found)} plugin{'s' * (len(found) != 1)}, {len(errors)} left out")
