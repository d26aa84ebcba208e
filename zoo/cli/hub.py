"""`zoo hub`."""

import threading
from pathlib import Path

import click


@click.group("hub")
def command() -> None:
    """Run a Hub of one's own."""


@command.command("serve")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="0 takes a free one.")
def serve(folder: Path, port: int) -> None:
    """Serve FOLDER as a Hub on 127.0.0.1 until Ctrl-C."""
    from zoo.hub.server.serving import serve_folder

    with serve_folder(folder, port=port) as served:
        click.echo(f"serving {folder} on {served.url} · Ctrl-C stops it\nfor other programs:")
        click.echo(f"  export HF_ENDPOINT={served.url} NO_PROXY=127.0.0.1,localhost")
        click.echo(f'  export HF_TOKEN="$(cat {folder}/token)"    # to push')
        threading.Event().wait()
