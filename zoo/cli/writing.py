"""What `zoo translate` and `zoo summarize` share: a command that writes a text for each one."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from zoo.cli.decoding import decoding, typed
from zoo.commands.options import dtype, hub
from zoo.commands.output import print_text
from zoo.commands.tables import print_json


def writing_command(
    name: str, help: str, *, task: str, answer: str, metavar: str, read: Callable[[Sequence[str]], list[str]]
) -> click.Command:
    """Return a command that prints what weights for a task write for each text, with 4 beams by default.

    `answer` is what that is called in JSON; `read` makes texts of what was typed.
    """

    @click.command(name, help=help)
    @click.argument("weights")
    @click.argument("texts", nargs=-1, required=True, metavar=metavar)
    @decoding("max_new_tokens", "beams", "length_penalty", "repetition_penalty")
    @click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
    @dtype
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @hub
    def command(
        weights: str,
        texts: tuple[str, ...],
        device: str | None,
        dtype: str | None,
        as_json: bool,
        hub: str | None,
        **requested: Any,
    ) -> None:
        from zoo.inference.load_for_task import load_writer

        several = read(texts)
        write = load_writer(weights, task, hub=hub, device=device, dtype=dtype)
        written = write(several, **{"beams": 4, **typed(requested)})
        if as_json:
            print_json([{"text": text, answer: found} for text, found in zip(several, written, strict=True)])
            return
        for found in written:
            print_text(f"{found}\n")

    return command
