"""Every random state of every process: torch's on CPU and GPU, Python's and NumPy's."""

import logging
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.engine.distribution import Distribution
from zoo.seeds import derive

_log = logging.getLogger("zoo")


def take_random(distribution: Distribution) -> tuple[dict[str, Tensor], list[Any]]:
    """Return torch's and NumPy's states as tensors, and Python's as what JSON can hold."""
    tensors = {f"{rank}/cpu": state for rank, state in enumerate(distribution.gathered(torch.random.get_rng_state()))}
    if distribution.device.type == "cuda":
        states = distribution.gathered(torch.cuda.get_rng_state(distribution.device))
        tensors |= {f"{rank}/cuda": state for rank, state in enumerate(states)}
    _, words, position, *_ = np.random.get_state(legacy=True)
    tensors["numpy"] = torch.from_numpy(np.append(np.asarray(words, np.int64), int(position)))
    version, numbers, gauss = random.getstate()
    return tensors, [version, list(numbers), gauss]


def restore_random(
    tensors: Mapping[str, Tensor], values: Mapping[str, Any], distribution: Distribution, seed: int
) -> None:
    """Give each process its states; where the number of processes has changed, seed them anew and say so."""
    version, numbers, gauss = values["random"]
    random.setstate((version, tuple(numbers), gauss))
    *words, position = tensors["numpy"].tolist()
    np.random.set_state(("MT19937", np.array(words, np.uint32), position, 0, 0.0))
    rank, before = distribution.rank, values["world_size"]
    if before == distribution.world_size:
        torch.random.set_rng_state(tensors[f"{rank}/cpu"])
        if distribution.device.type == "cuda" and f"{rank}/cuda" in tensors:
            torch.cuda.set_rng_state(tensors[f"{rank}/cuda"], distribution.device)
        return
    torch.manual_seed(derive(seed, rank))
    if distribution.main:
        _log.warning(
            "resuming with %d processes instead of %d: the order of sums and the dropout masks change, so the result "
            "is no longer bit-identical; samples, their order and their augmentation are",
            distribution.world_size,
            before,
        )
