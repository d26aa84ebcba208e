"""Open a Hub's folder for a command. A server may have it open too."""

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.errors import NotFoundError, StorageError
from zoo.hub.server.sizes import size_text as size_text

if TYPE_CHECKING:
    from zoo.hub.server.store import Store

folder_argument = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@contextmanager
def opened(folder: Path) -> Iterator["Store"]:
    """Open the store in a folder. Raise NotFoundError where there is none."""
    from zoo.files import storage_errors
    from zoo.hub.server.folder import holds_store
    from zoo.hub.server.store import Store

    if not holds_store(folder):
        free = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
        cure = (
            f"`zoo hub serve {shlex.quote(str(folder))}` makes one"
            if free
            else "give the folder that `zoo hub serve` was given"
        )
        raise NotFoundError(f"no Hub in the folder {folder}; {cure}")
    with storage_errors(f"opening the Hub in {folder}"):
        store = Store(folder)
    try:
        yield store
    except sqlite3.OperationalError as error:  # a full disk, a file system that may only be read
        raise StorageError(f"writing the Hub in {folder} failed: {error}; free space, then run it again") from None
    finally:
        store.close()
