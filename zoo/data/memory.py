"""What fits into memory, and on the disk."""

import os
import shutil
from pathlib import Path

import torch

from zoo.files import cache_folder

_SHARE = 0.5
_CONTROL_GROUP = Path("/sys/fs/cgroup")


def fits_in_memory(num_bytes: int, device: torch.device | None = None, *, limit: int | None = None) -> bool:
    """Tell whether that many bytes are within the limit, which is half of what the machine or a GPU has free."""
    if limit is None:
        on_gpu = device is not None and device.type == "cuda"
        limit = int(_SHARE * (torch.cuda.mem_get_info(device)[0] if on_gpu else _free()))
    return num_bytes <= limit


def fits_in_cache(num_bytes: int) -> bool:
    """Tell whether that many bytes are within half of what is free where Zoo's cache lies."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    return num_bytes <= _SHARE * shutil.disk_usage(folder).free


def _free() -> int:
    """Return the bytes that are free on the machine, or left to this container."""
    try:
        lines = Path("/proc/meminfo").read_bytes().splitlines()
        free = 1024 * next(int(line.split()[1]) for line in lines if line.startswith(b"MemAvailable:"))
    except (OSError, StopIteration):
        free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        allowed, used = (int((_CONTROL_GROUP / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no control group, or one without a limit, which is spelt "max"
        return free
    return min(free, allowed - used)
