"""One process at a time does the work that others would only repeat.

A lease spares work and keeps nothing right: files are verified and renamed into place whoever holds it. It is a file
that only one process can create, which works where locks do not; its holder touches it, and one that is not touched
any more is taken over.
"""

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from zoo.hub.owner import is_gone, new_owner

BEAT_SECONDS = 2.0
STALE_SECONDS = 15.0
_POLL_SECONDS = 0.1
_log = logging.getLogger("zoo")


class Lease:
    """Hold a lease for the length of a `with` block, which begins when nobody else holds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._owner = new_owner()
        self._over = threading.Event()

    def __enter__(self) -> "Lease":
        seen, since = None, time.monotonic()
        while not self._create():
            holder = self._holder()
            if holder is None:
                continue  # it was given back in this very moment
            if seen is None:
                _log.info("another process fetches the same; waiting for it")
            if holder != seen:
                seen, since = holder, time.monotonic()
            if is_gone(holder[0]) or time.monotonic() - since > STALE_SECONDS:
                self._remove(holder[0])
            else:
                time.sleep(_POLL_SECONDS)
        threading.Thread(target=self._beat, name="zoo-lease", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._remove(self._owner)

    def _create(self) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            return False
        with os.fdopen(descriptor, "w") as file:
            file.write(self._owner)
        return True

    def _holder(self) -> tuple[str, int] | None:
        """Return who holds the lease, and when it was touched last. Opening it makes network file systems look anew."""
        try:
            with open(self._path, errors="replace") as file:
                return file.read(200), os.fstat(file.fileno()).st_mtime_ns
        except FileNotFoundError:
            return None

    def _remove(self, owner: str) -> None:
        """Remove the lease of this owner. Two who do so at once may both go on: work done twice, and nothing worse."""
        holder = self._holder()
        if holder is not None and holder[0] == owner:
            with suppress(FileNotFoundError):
                self._path.unlink()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            with suppress(OSError):
                os.utime(self._path, follow_symlinks=False)


def is_idle(path: Path) -> bool:
    """Tell whether the process that a lease names certainly runs no more."""
    with suppress(OSError):
        return is_gone(path.read_text(errors="replace")[:200])
    return False
