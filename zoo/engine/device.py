"""Choose where to compute."""

import torch

from zoo.errors import UsageError


def choose_device(name: str | None) -> torch.device:
    """Return the device of this name; None or "auto" takes a GPU where there is one. Raise UsageError if absent."""
    available = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if name in (None, "auto"):
        return torch.device("cuda:0" if len(available) > 1 else "cpu")
    if name == "cuda" and len(available) > 1:
        return torch.device("cuda:0")
    if name not in available:
        raise UsageError(f"no device {name!r} here; there is {', '.join(available)}")
    return torch.device(name)
