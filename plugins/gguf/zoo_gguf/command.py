"""`zoo chat`."""

import sys
from typing import Any

import click

import zoo
from zoo.commands.options import dtype, hub
from zoo.commands.output import print_line, print_text
from zoo.commands.tables import print_json

_ENDS = ("/exit", "/quit")


@click.command("chat")
@click.argument("weights")
@click.argument("message", required=False)
@click.option("--system", metavar="TEXT", help="What the model is told before the chat.")
@click.option("--max-new-tokens", type=int, help="Maximum number of new tokens; default: 512, or half of the context.")
@click.option("--temperature", type=float, help="Sampling temperature; default: 0, greedy decoding.")
@click.option("--top-k", type=int, help="Sample from the so many most likely tokens.")
@click.option("--top-p", type=float, help="Sample from the smallest set of tokens with this total probability.")
@click.option("--repetition-penalty", type=float, help="Above 1: make tokens that are already present less likely.")
@click.option("--seed", type=int, help="Random seed for sampling; default: 0.")
@click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
@dtype
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the messages, and the answer. For one MESSAGE.")
@hub
def command(
    weights: str,
    message: str | None,
    system: str | None,
    as_json: bool,
    device: str | None,
    dtype: str | None,
    hub: str | None,
    **requested: Any,
) -> None:
    """Chat with WEIGHTS, one message a line, or get the answer to one MESSAGE; `-` is standard input.

    /reset begins anew, /exit ends.
    """
    if as_json and message is None:
        raise zoo.UsageError("--json prints the answer to one message; give it, or `-` for standard input")
    model: Any = zoo.load(weights, device=device, dtype=dtype, hub=hub)
    if not hasattr(model, "chat"):
        raise zoo.UsageError(f"{weights} holds weights that generate no text; `zoo info {weights}` says what they do")
    decoding = {name: value for name, value in requested.items() if value is not None}
    start = [] if system is None else [{"role": "system", "content": system}]
    if message is not None:
        text = sys.stdin.read().removesuffix("\n") if message == "-" else message
        messages = [*start, {"role": "user", "content": text}]
        if as_json:
            print_json({"messages": messages, "answer": model.chat(messages, **decoding)})
            return
        _answer(model, messages, decoding)
        return
    _converse(model, start, decoding)


def _converse(model: Any, start: list[dict[str, str]], decoding: dict[str, Any]) -> None:
    messages = list(start)
    while True:
        if sys.stdin.isatty():
            print_text("> ")
        line = sys.stdin.readline()
        text = line.strip()
        if not line or text in _ENDS:
            return
        if text == "/reset":
            messages = list(start)
        elif text:
            messages.append({"role": "user", "content": text})
            messages.append({"role": "assistant", "content": _answer(model, messages, decoding)})


def _answer(model: Any, messages: list[dict[str, str]], decoding: dict[str, Any]) -> str:
    pieces = []
    for piece in model.chat.stream(messages, **decoding):
        print_text(piece)
        pieces.append(piece)
    print_line()
    return "".join(pieces)
