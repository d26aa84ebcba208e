"""Named seeds: every random draw has a name, and one number decides them all."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def derive(seed: int, *names: str | int) -> int:
    """Return the 63-bit seed of the draw that the names say, as a function of the run's seed."""
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> torch.Generator:
    """Return a CPU generator for the draw that the names say."""
    import torch

    return torch.Generator().manual_seed(derive(seed, *names))
