"""One process at a time: the others wait, or are told who works.

A lease is a file that names its holder, locked where the file system has locks, and touched all the while, which other
machines see. It is taken over at once from a process of this machine that has died, and from one elsewhere when
nothing has touched it for a while.
"""

import fcntl
import logging
import os
import platform
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from errno import EWOULDBLOCK
from pathlib import Path
from types import TracebackType

from zoo.hub.owner import is_gone, is_here, new_owner, process_of

BEAT_SECONDS = 2.0
STALE_SECONDS = 15.0
_POLL_SECONDS = 0.1
_HOST = re.compile(r"[^\w.-]", re.ASCII)
_log = logging.getLogger("zoo")
_held_files: set[int] = set()


class Held(Exception):
    """Another process holds the lease; the message names it."""


@dataclass(frozen=True)
class _Holder:
    """Who holds a lease, on which machine, and when it was touched last."""

    owner: str
    host: str
    touched: int

    def described(self) -> str:
        return f"process {process_of(self.owner)} on {_HOST.sub('_', self.host) or 'another machine'}"


_NOBODY = _Holder("", "", 0)


class Lease:
    """Hold a lease for the length of a `with` block.

    The block begins when nobody else holds it. With `wait=False` a holder that works raises Held instead: one on this
    machine at once, one elsewhere when it has been seen to touch the lease.
    """

    def __init__(self, path: Path, *, wait: bool = True) -> None:
        self._path = path
        self._wait = wait
        self._owner = new_owner()
        self._over = threading.Event()
        self._file = -1

    def __enter__(self) -> "Lease":
        seen: _Holder | None = None
        since = time.monotonic()
        while True:
            stale = time.monotonic() - since > STALE_SECONDS
            if (holder := self._take(seen if stale else None)) is None:
                break
            if holder != _NOBODY:
                if not self._wait and (stale or is_here(holder.owner) or seen not in (None, holder)):
                    raise Held(holder.described())
                if seen is None:
                    _log.info(self._waiting(holder))
                if holder != seen:
                    seen, since = holder, time.monotonic()
            time.sleep(_POLL_SECONDS)
        threading.Thread(target=self._beat, name="zoo-lease", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self.held():
            with suppress(FileNotFoundError):
                self._path.unlink()
        _held_files.discard(self._file)
        os.close(self._file)

    def held(self) -> bool:
        """Tell whether it is still this one's: a process that stood still for long may have lost it."""
        return self._names(self._file) and _read(self._file).owner == self._owner

    def _take(self, silent: "_Holder | None") -> "_Holder | None":
        """Take the lease, also from a holder that is known to be silent; else return who holds it.

        The lock decides between those who find the same dead holder. What the file says is asked all the same, since
        there are file systems without locks.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            locked, holder = _lock(file), _read(file)
            working = holder.owner and not is_gone(holder.owner)
            if working and (holder != silent or not locked):
                return holder
            if not locked or not self._names(file):  # it changes hands at this very moment
                return _NOBODY
            os.ftruncate(file, 0)
            os.pwrite(file, f"{self._owner} {platform.node()}\n".encode(), 0)
            _held_files.add(file)
            self._file, file = file, -1
            return None
        finally:
            if file >= 0:
                os.close(file)

    def _names(self, file: int) -> bool:
        """Tell whether an open file still lies under the lease's name."""
        with suppress(OSError):
            return os.path.samestat(os.fstat(file), os.stat(self._path, follow_symlinks=False))
        return False

    def _waiting(self, holder: "_Holder") -> str:
        if self._wait:
            return "another process fetches the same; waiting for it"
        return (
            f"{holder.described()} holds {self._path.parent}; looking for {STALE_SECONDS:.0f} s whether it still runs"
        )

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            with suppress(OSError):
                os.utime(self._file)


def is_idle(path: Path) -> bool:
    """Tell whether the process that a lease names certainly runs no more."""
    with suppress(OSError):
        return is_gone(path.read_text(errors="replace")[:200])
    return False


def _lock(file: int) -> bool:
    """Lock a file, and tell whether that succeeded; where there are no locks, it does."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno != EWOULDBLOCK
    return True


def _read(file: int) -> _Holder:
    """Return whom a lease names. Opening it makes network file systems look anew."""
    owner, _, host = os.pread(file, 400, 0).decode(errors="replace").strip().partition(" ")
    return _Holder(owner, host, os.fstat(file).st_mtime_ns)


def _let_go() -> None:
    """Close what the parent holds: a child that outlives it would keep the lock."""
    for file in _held_files:
        os.close(file)


os.register_at_fork(after_in_child=_let_go)
