"""`zoo predict`."""

from pathlib import Path
from typing import Any

import click

from zoo import api
from zoo.cli.options import hub
from zoo.cli.tables import print_json, print_table


@click.command("predict")
@click.argument("weights")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGES…")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Draw what was found into pictures there.")
@click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@hub
def command(
    weights: str, images: tuple[Path, ...], out: Path | None, device: str | None, as_json: bool, hub: str | None
) -> None:
    """Say what WEIGHTS see in pictures, or in all pictures of a folder."""
    from zoo.prediction import pictures_in, predict_pictures

    predict = api.load(weights, hub=hub, device=device).predict
    predictor = predict.predictor
    found = list(predict_pictures(predict, pictures_in(images), out))
    if as_json:
        print_json([{"image": str(path), **_without_arrays(result)} for path, result in found])
        return
    head = ("IMAGE", *(column.upper() for column in predictor.columns))
    print_table(head, [(str(path), *predictor.row(result)) for path, result in found])
    if out is not None:
        click.echo(f"{len(found)} pictures drawn in {out}")


def _without_arrays(result: dict[str, Any]) -> dict[str, Any]:
    """Leave a mask out, which --out writes as a picture."""
    return {name: value for name, value in result.items() if name != "mask"}
