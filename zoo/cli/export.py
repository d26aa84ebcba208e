"""`zoo export`."""

from pathlib import Path

import click

from zoo import api
from zoo.cli.options import hub
from zoo.cli.output import print_line

_OPEN = {
    "timm": 'timm.create_model("local-dir:{out}", pretrained=True)',
    "torchvision": "see {out}/README.md",
    "transformers": 'AutoModelForImageClassification.from_pretrained("{out}")',
    "onnx": 'onnxruntime.InferenceSession("{out}")',
    "torch-export": 'torch.export.load("{out}").module()',
}


@click.command("export")
@click.argument("weights")
@click.option("--to", "target", required=True, type=click.Choice(list(_OPEN)), help="What is to open them.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder, or for a graph the file.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@hub
def command(weights: str, target: str, out: Path, force: bool, hub: str | None) -> None:
    """Write WEIGHTS so that another library opens them, or as a graph that needs none of Zoo."""
    api.export(weights, to=target, out=out, force=force, hub=hub)
    files = [out] if out.is_file() else sorted(out.iterdir())
    print_line(f"exported: {out}, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB")
    print_line(f"open it:  {_OPEN[target].format(out=out)}")
