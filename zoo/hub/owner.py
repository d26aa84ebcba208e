"""Who works on a file: a process, named so that others can tell whether it still runs."""

import hashlib
import os
import platform
import secrets
from contextlib import suppress
from functools import cache
from pathlib import Path

NOBODY = "free"


def new_owner() -> str:
    """Return a name for a piece of work of this process: place, process, its start, and what tells two pieces apart."""
    pid = os.getpid()
    return f"{_place()}-{pid}-{_start(pid) or 0}-{secrets.token_hex(4)}"


def is_gone(owner: str) -> bool:
    """Tell whether the process behind a name certainly runs no more. Of other machines nothing is certain."""
    place, _, rest = owner.partition("-")
    if place == NOBODY:
        return True
    pid, _, rest = rest.partition("-")
    if place != _place() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    start = _start(int(pid))
    return start is not None and start != rest.partition("-")[0]


def is_here(owner: str) -> bool:
    """Tell whether the process behind a name is one that this one can see: of this machine, and this boot of it."""
    return owner.partition("-")[0] == _place()


def process_of(owner: str) -> str:
    """Return the number of the process behind a name, as its own machine counts; "?" where it says none."""
    pid = owner.partition("-")[2].partition("-")[0]
    return pid if pid.isdigit() else "?"


@cache
def _place() -> str:
    """Return what processes have in common that see each other's numbers: one boot of one machine, one namespace."""
    parts = [platform.node()]
    with suppress(OSError):  # there where the kernel is Linux
        parts += [Path("/proc/sys/kernel/random/boot_id").read_text(), os.readlink("/proc/self/ns/pid")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _start(pid: int) -> str | None:
    """Return when a process began, in the kernel's ticks; "" for one that is dead and not yet buried; None unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return "" if fields[0] in "ZX" else fields[19]
