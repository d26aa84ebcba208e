"""Run a block, or forget what it computed and compute it again in the backward pass."""

from typing import Any, cast

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def run(block: nn.Module, *inputs: Any, again: bool) -> Tensor:
    """Return what the block makes of these inputs; with `again` its inner values are not kept."""
    if again and block.training:
        return cast(Tensor, checkpoint(block, *inputs, use_reentrant=False))
    return cast(Tensor, block(*inputs))
