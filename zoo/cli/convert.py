"""`zoo convert`."""

import json
from pathlib import Path

import click

from zoo.api import models
from zoo.commands.output import print_line

_NAMED = 8


@click.command("convert")
@click.argument("file", metavar="FILE.pth|.bin|.ckpt|.th|.npz", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@click.option("--key", metavar="NAME", help="Open what lies under this name instead of state_dict, model …")
@click.option("--force", is_flag=True, help="Replace existing files.")
def command(file: Path, out: Path, key: str | None, force: bool) -> None:
    """Convert a pickle or a .npz to safetensors, once and on purpose.

    The file is opened by torch's restricted unpickler, in a process of its own with bounded memory and time and without
    a network. A file that needs more than tensors is refused.
    """
    done = models.convert(file, out=out, key=key, force=force)
    size = (out / "model.safetensors").stat().st_size
    where = f", from {'.'.join(done.opened)}" if done.opened else ""
    print_line(f"converted: {out}, {done.tensors} tensor{'s' * (done.tensors != 1)}, {size / 1e6:.1f} MB{where}")
    if done.others:
        print_line(f"also there: {', '.join(done.others)}; --key {done.others[0]} takes it instead")
    if done.left_out:
        print_line(f"left out:  {_listed(done.left_out)}")
    if done.block is None:
        print_line("fits:      no model of the installed plugins by its tensors' names; `zoo list` shows the models")
        return
    print_line(f"fits:      {done.block.architecture} of {done.block.plugin}, for {done.block.task}")
    print_line(f"load it:   zoo.load({json.dumps(str(out))})")


def _listed(names: tuple[str, ...]) -> str:
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest
