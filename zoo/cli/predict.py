"""`zoo predict`."""

from pathlib import Path
from typing import Any

import click

from zoo import api
from zoo.cli.options import hub
from zoo.cli.output import print_line
from zoo.cli.tables import print_json, print_table
from zoo.errors import UsageError

_SHOWN = 60


@click.command("predict")
@click.argument("weights")
@click.argument("inputs", nargs=-1, required=True, metavar="IMAGES…|TEXTS…")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Draw what was found into pictures there.")
@click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@hub
def command(
    weights: str, inputs: tuple[str, ...], out: Path | None, device: str | None, as_json: bool, hub: str | None
) -> None:
    """Say what WEIGHTS see in pictures, or in all pictures of a folder; or of texts, or of the lines of a file."""
    from zoo.prediction import pictures_in, predict_pictures
    from zoo.text_prediction import PredictText, texts_of

    predict: Any = api.load(weights, hub=hub, device=device).predict
    predictor = predict.predictor
    found: list[tuple[str, dict[str, Any]]]
    if isinstance(predict, PredictText):
        if out is not None:
            raise UsageError("--out draws pictures, and these weights read text; leave it out")
        texts = texts_of(inputs)
        kind, found = "text", list(zip(texts, predict(texts), strict=True))
    else:
        paths = pictures_in([Path(path) for path in inputs])
        kind, found = "image", [(str(path), result) for path, result in predict_pictures(predict, paths, out)]
    if as_json:
        print_json([{kind: name, **_without_arrays(result)} for name, result in found])
        return
    head = (kind.upper(), *(column.upper() for column in predictor.columns))
    print_table(head, [(_short(name), *predictor.row(result)) for name, result in found])
    if out is not None:
        print_line(f"{len(found)} pictures drawn in {out}")


def _short(text: str) -> str:
    """Return a path, or a text of one line of a table, a long one cut."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN or Path(text).exists() else f"{flat[:_SHOWN]} …"


def _without_arrays(result: dict[str, Any]) -> dict[str, Any]:
    """Leave a mask out, which --out writes as a picture."""
    return {name: value for name, value in result.items() if name != "mask"}
