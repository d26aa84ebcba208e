"""`zoo export`."""

from pathlib import Path

import click

from zoo.api import models
from zoo.cli.offered import Offered
from zoo.commands.options import dtype, hub
from zoo.commands.output import print_line
from zoo.weights.description import read_json

_OPEN = {
    "timm": 'timm.create_model("local-dir:{out}", pretrained=True)',
    "torchvision": "see {out}/README.md",
    "transformers": 'transformers.{architecture}.from_pretrained("{out}")',
    "onnx": 'onnxruntime.InferenceSession("{out}")',
    "torch-export": 'torch.export.load("{out}").module()',
}


@click.command("export")
@click.argument("weights")
@click.option("--to", "target", required=True, type=Offered("formats", [*_OPEN]), help="The target library or format.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder, or for a graph the file.")
@click.option("--force", is_flag=True, help="Replace existing files.")
@click.option("--preset", is_flag=True, help="Write a format's folder, with the tokenizer, in place of its file.")
@dtype
@hub
def command(
    weights: str, target: str, out: Path, force: bool, preset: bool, dtype: str | None, hub: str | None
) -> None:
    """Export WEIGHTS for another library, or as a graph that runs without Zoo."""
    models.export(weights, to=target, out=out, force=force, dtype=dtype, preset=preset, hub=hub)
    files = [out] if out.is_file() else [path for path in sorted(out.rglob("*")) if path.is_file()]
    print_line(f"exported: {out}, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB")
    if target in _OPEN:
        print_line(f"open it:  {_OPEN[target].format(out=out, architecture=_architecture(out))}")


def _architecture(out: Path) -> str:
    """Return the class by which transformers opens a folder; weights by timm's names say none, and it wraps them."""
    config = read_json(out) if out.is_dir() else {}
    return next(iter(config.get("architectures", ())), "AutoModelForImageClassification")
