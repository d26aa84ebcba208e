"""`zoo reproduce`."""

from pathlib import Path

import click

from zoo import trainings
from zoo.cli.options import hub
from zoo.cli.output import print_line


@click.command("reproduce")
@click.argument("source", metavar="RUN|WEIGHTS")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="RUN", help="The new run's folder.")
@click.option("--device", help="cpu, cuda, cuda:1; default: a GPU where there is one.")
@click.option("--force", is_flag=True, help="Replace the run that is there.")
@hub
def command(source: str, out: Path, device: str | None, force: bool, hub: str | None) -> None:
    """Train again what made a run or WEIGHTS, by the record they carry, and compare what comes out."""
    found = trainings.reproduce(source, out=out, device=device, force=force, hub=hub, progress=True)
    for name, (then, now) in found.scores.items():
        before = "not on record" if then is None else f"{then:.6g}"
        print_line(f"{name:12}  then {before}  now {now:.6g}")
    for difference in found.differs:
        print_line(f"not as then:  {difference}")
    print_line("the weights are the same to the bit" if found.identical else "the weights differ in their bits")
