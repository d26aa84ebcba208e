"""`zoo quantize`."""

from pathlib import Path
from typing import Any

import click

import zoo
from zoo.commands.options import hub
from zoo.commands.output import print_line

_NAMED = 5


@click.command("quantize")
@click.argument("weights")
@click.option("--to", "target", type=click.Choice(["int8"]), required=True, help="How weights are stored.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder.")
@click.option("--data", help="Data whose test split is scored before and after.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where the data set lies, if not at its usual place.")
@click.option("--max-loss", type=float, default=1.0, show_default=True, help="The most points that may be lost.")
@click.option("--keep-sensitive", type=int, default=0, metavar="N", help="Leave the N tensors that lose most in float.")
@hub
def command(
    weights: str,
    target: str,
    out: Path,
    data: str | None,
    data_dir: Path | None,
    max_loss: float,
    keep_sensitive: int,
    hub: str | None,
) -> None:
    """Write WEIGHTS in 8 bits to a folder that loads as any other; with --data, only if their score stays."""
    from zoo_quantize import quantizing

    if out.exists():
        raise zoo.UsageError(f"{out} is there already; choose another --out")
    if keep_sensitive < 0:
        raise zoo.UsageError(f"--keep-sensitive is {keep_sensitive}; give 0 or more")
    with (
        quantizing.Source.opened(weights, hub) as source,
        zoo.storage_errors(f"writing {out}"),
        zoo.new_folder(out) as folder,
    ):
        kept = quantizing.most_sensitive(source, keep_sensitive)
        quantizing.write_folder(source, folder, kept)
        told: dict[str, Any] = {"to": target, "kept": kept, "bytes": quantizing.sizes(source, folder), "data": data}
        before, after = told["bytes"]
        print_line(f"size:  {before / 1e6:.2f} MB -> {after / 1e6:.2f} MB ({after / before:.3f} times)")
        if data is not None:
            found = quantizing.measure(weights, folder, {"data": data, "data_dir": data_dir}, hub)
            said = f"{found.name} {found.before:.4f} -> {found.after:.4f}"
            if not found.loss <= max_loss:
                most = quantizing.most_sensitive(source, keep_sensitive + _NAMED)
                raise zoo.TrainingError(
                    f"in 8 bits {weights} loses {found.loss:.2f} {found.unit} ({said}), more than "
                    f"--max-loss {max_loss:g}; leave what loses most in float: --keep-sensitive {len(most)} "
                    f"({', '.join(most)})"
                )
            told["measured"] = {
                **{"score": found.name, "before": found.before, "after": found.after},
                **{"loss": found.loss, "unit": found.unit},
            }
            print_line(f"score: {said} on {data}, {found.loss:+.2f} {found.unit} lost")
        print_line("speed: as before, since weights are made float again when they are loaded")
        quantizing.write_card(folder, Path(weights).name or weights, told)
    print_line(f"wrote: {out}; load it as any weights: zoo.load({str(out)!r})")
