"""`zoo diff`."""

from pathlib import Path
from typing import Any

import click

import zoo
from zoo.commands.options import hub
from zoo.commands.output import print_line
from zoo.commands.tables import print_json, print_table, shortened
from zoo_diff.comparison import Difference, TensorChange, as_json, difference, sizes, weight

_ROWS = 20


@click.command("diff")
@click.argument("before")
@click.argument("after")
@click.option(
    "--all", "everything", is_flag=True, help=f"List every tensor that changed, not {_ROWS} that changed most."
)
@click.option("--card", is_flag=True, help="Print the lines of the card that changed.")
@click.option("--picture", type=click.Path(path_type=Path), help="Draw the changes there, as PNG.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where anything changed, as git diff does.")
@click.option("--offline", is_flag=True, help="Use only the cache, never the network.")
@hub
@click.option("--json", "as_text", flag_value=False, default=True, help="Print JSON.")
def command(
    before: str,
    after: str,
    everything: bool,
    card: bool,
    picture: Path | None,
    exit_code: bool,
    offline: bool,
    hub: str | None,
    as_text: bool,
) -> None:
    """Compare the weights BEFORE with the weights AFTER: tensors by their numbers, settings, scores, card, files.

    Each is a name, hf://org/name@revision, a run, a weights folder or a .safetensors file. Tensors are read piece by
    piece, so that memory does not depend on their size.
    """
    folders = [zoo.find_weights(source, hub=hub, offline=offline) for source in (before, after)]
    for source, folder in zip((before, after), folders, strict=True):
        if folder.is_file() and folder.suffix != ".safetensors":
            raise zoo.UsageError(
                f"{source} is no safetensors, which alone are compared; zoo.save(zoo.load(…), FOLDER) writes them"
            )
    found = difference(*folders)
    if picture is not None:
        from zoo_diff.drawing import draw

        draw(found.tensors, picture)
    if as_text:
        _print(found, everything, card)
        if picture is not None:
            print_line(f"drawn: {picture}")
    else:
        print_json({**as_json(found), "before": before, "after": after})
    if exit_code and found:
        raise SystemExit(1)


def _print(found: Difference, everything: bool, card: bool) -> None:
    if not found:
        print_line(f"{found.total} tensors, all equal; so is what stands beside them")
        return
    kinds = [change.kind for change in found.tensors]
    told = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)) or "all equal"
    print_line(f"tensors  {told}, of {found.total}")
    rows = list(found.tensors)
    if not everything and len(rows) > _ROWS:
        rows = sorted(rows, key=weight)[:_ROWS]
        print_line(f"the {_ROWS} that changed most (--all lists {len(found.tensors)}):")
    if rows:
        print_table(("TENSOR", "KIND", "SHAPE", "CHANGE", "LARGEST", "VALUES"), [_row(change) for change in rows])
    for title, changes in (("config", found.config), ("scores", found.scores)):
        for name, (was, now) in changes.items():
            print_line(f"{title}  {name}: {_shown(was)} → {_shown(now)}")
    if found.card:
        lines = found.card[2:]
        added, removed = (sum(line.startswith(sign) for line in lines) for sign in "+-")
        print_line(f"card  +{added} −{removed} lines" + ("" if card else " (--card)"))
        for line in lines if card else ():
            print_line(line)
    for name, what in found.files.items():
        print_line(f"file  {name} {what}")


def _row(change: TensorChange) -> tuple[str, ...]:
    numbers = change.numbers
    shape = sizes(change)
    if numbers is None:
        return change.name, change.kind, shape, "", "", "equal" if change.kind == "retyped" else ""
    relative = f"{numbers.relative:.2g}" if numbers.relative is not None else "from 0"
    odd = f", {numbers.not_finite:,} not finite" if numbers.not_finite else ""
    return change.name, change.kind, shape, relative, f"{numbers.largest:.2g}", f"{numbers.share:.1%}{odd}"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else shortened(str(value))
