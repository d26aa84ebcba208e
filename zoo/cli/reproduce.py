"""`zoo reproduce`."""

from pathlib import Path

import click

from zoo.api import training
from zoo.commands.options import hub
from zoo.commands.output import print_line


@click.command("reproduce")
@click.argument("source", metavar="RUN|WEIGHTS")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="RUN", help="The new run's folder.")
@click.option("--device", help="cpu, cuda, cuda:1; default: a GPU if available.")
@click.option("--force", is_flag=True, help="Replace an existing run.")
@hub
def command(source: str, out: Path, device: str | None, force: bool, hub: str | None) -> None:
    """Repeat the training of a run or WEIGHTS from the record they carry, and compare the results."""
    found = training.reproduce(source, out=out, device=device, force=force, hub=hub, progress=True)
    for name, (then, now) in found.scores.items():
        before = "not on record" if then is None else f"{then:.6g}"
        print_line(f"{name:12}  then {before}  now {now:.6g}")
    for difference in found.differs:
        print_line(f"not as then:  {difference}")
    print_line("the weights are bit-identical" if found.identical else "the weights are not bit-identical")
