"""What Zoo asks of an engine, which computes a loaded model's function by other means than torch's eager mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn


class Engine(Protocol):
    """What an engine's spec names: it makes of a function what computes the same.

    Zoo compares the first batch with eager mode, and goes on in that where the two differ, or where an engine raises.
    """

    def __call__(
        self, function: nn.Module, example: Sequence[Tensor], free: Sequence[tuple[int, ...]]
    ) -> Callable[..., Sequence[Tensor]]:
        """Return what computes `function(*tensors)`, a tuple of tensors, of tensors like the example's.

        They may be of other sizes along the axes that are `free`, some for each tensor of the example, which has two or
        more along each of these. What is returned gets tensors of the example's device and types, and returns such.
        Raise UsageError for what the engine cannot do, such as a device or a type.
        """
        ...
