"""torch.compile as an engine."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo_engines.graph import quiet


def compile(function: nn.Module, example: Sequence[Tensor], free: Sequence[tuple[int, ...]]) -> Callable[..., Any]:
    """Return the function as torch compiles it for sizes that vary. Keeps zoo.Engine."""
    with quiet():
        compiled = torch.compile(function)
        for tensor, axes in zip(example, free, strict=True):
            for axis in axes:
                torch._dynamo.maybe_mark_dynamic(tensor, axis)
        compiled(*example)
    return compiled
