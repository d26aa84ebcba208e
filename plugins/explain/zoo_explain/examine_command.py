"""`zoo examine`."""

from pathlib import Path
from typing import Any

import click

import zoo
from zoo.commands.options import columns, columns_of, data_set, hub, pairs
from zoo.commands.output import print_line
from zoo.commands.tables import print_json

_PAGE, _PICTURE = "examination.html", "examination.png"


@click.command("examine")
@click.argument("weights", metavar="RUN")
@click.option("--data", required=True, metavar="DATA", help="Data with a test split, and for labels a training split.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Default: beside the weights, for zoo push."
)
@click.option(
    "--calibrated",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Save weights with the temperature in them there.",
)
@click.option("--no-labels", is_flag=True, help="Do not look for labels that are probably wrong.")
@click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
@data_set
@columns
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@hub
def command(
    weights: str,
    data: str,
    out: Path | None,
    calibrated: Path | None,
    no_labels: bool,
    as_json: bool,
    data_set: tuple[str, ...],
    **typed: Any,
) -> None:
    """Examine a classifier: calibration, slices, mistakes, copies between train and test, labels that are wrong.

    Writes a page, examination.html, and a picture for the model card, examination.png.
    """
    from zoo_explain.examining.card import draw_card
    from zoo_explain.examining.examine import examine
    from zoo_explain.examining.mending import save_calibrated
    from zoo_explain.examining.page import page

    named = columns_of(typed)
    said = pairs(data_set, "--data-set")
    folder = out or _beside(weights)
    found = examine(weights, data, labels=not no_labels, columns=named or None, data_options=said or None, **typed)
    with zoo.storage_errors(f"writing to {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        zoo.write_file(folder / _PAGE, page(found, weights, data).encode())
        draw_card(found, folder / _PICTURE)
    if calibrated is not None:
        where = {name: typed[name] for name in ("hub", "device")}
        save_calibrated(weights, found.calibration.temperature, calibrated, **where)
    known, weak = found.calibration, [part for part in found.slices if part.weak]
    if as_json:
        print_json(
            {
                "samples": found.samples,
                "accuracy": found.accuracy,
                "interval": found.interval,
                "ece": known.ece,
                "ece_after": known.ece_after,
                "temperature": known.temperature,
                "weak": [part.name for part in weak],
                "duplicates": found.num_duplicates,
                "suspect_labels": None if found.suspects is None else found.num_suspects,
                "page": str(folder / _PAGE),
            }
        )
        return
    low, high = found.interval
    print_line(
        f"{weights} on {data}: accuracy {found.accuracy:.1%} ({low:.1%} to {high:.1%}) of {found.samples:,} samples"
    )
    print_line(f"calibration error {known.ece:.3f}; with temperature {known.temperature:.2f} {known.ece_after:.3f}")
    print_line(f"weak: {', '.join(part.name for part in weak[:5]) or 'no slice'}{' …' if len(weak) > 5 else ''}")
    print_line(f"{found.num_duplicates:,} test samples look like training samples")
    if found.suspects is not None:
        print_line(f"{found.num_suspects:,} of {found.looked_at:,} training labels are probably wrong")
    print_line(folder / _PAGE)
    print_line(folder / _PICTURE)


def _beside(weights: str) -> Path:
    """Return the folder that `zoo push` sends. Raise UsageError for weights that are not in one here."""
    folder = Path(weights)
    found = folder / "weights" if (folder / "weights" / "config.json").is_file() else folder
    if not (found / "config.json").is_file():
        raise zoo.UsageError(f"{weights} is no run or weights folder here, beside which to write; name --out DIR")
    return found
