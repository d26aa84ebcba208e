"""`zoo try`."""

import os
import signal
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

import zoo
from zoo.commands.options import dtype, engine, hub
from zoo.commands.output import print_line

_GRACE_SECONDS = 2
"""In which a question that computes may end by itself."""


@click.command("try")
@click.argument("weights")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Default: a free one.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
@dtype
@engine
@hub
def command(weights: str, port: int, no_browser: bool, hub: str | None, **loading: Any) -> None:
    """Try WEIGHTS on a page of your own machine, until Ctrl-C: images, texts or sounds go in, answers come out.

    Only this machine reaches the page, by the address printed, and nothing leaves the machine.
    """
    from zoo_try.server import TryServer
    from zoo_try.ways import ways_of

    folder = zoo.find_weights(weights, hub=hub)
    model, description = zoo.load(folder, **loading), zoo.describe(folder)
    ways = ways_of(model, folder, description)
    about = {"weights": weights, "architecture": description.architecture, "task": description.task}
    server = TryServer(about, ways, port)
    with _stopped_by_signals():
        try:
            print_line(f"{weights} can be tried at {server.url} · Ctrl-C stops it", secret=True)
            if not no_browser and _has_screen():
                webbrowser.open(server.url)
            server.serve_forever()
        finally:
            server.server_close()
            if not server.computing.acquire(timeout=_GRACE_SECONDS):  # a thread that computes would hold the process
                sys.stdout.flush()
                os._exit(128 + signal.SIGINT if isinstance(sys.exception(), KeyboardInterrupt) else 0)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Leave the block at SIGTERM too, so that uploads are removed."""

    def stop(number: int, _: object) -> None:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _has_screen() -> bool:
    """Tell whether a browser would open a window, and not take the terminal over."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
