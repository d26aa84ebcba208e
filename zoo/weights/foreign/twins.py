"""Tensors that a file holds twice: dropped where they are equal, and otherwise tensors of their own."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from zoo.errors import IntegrityError
from zoo.specs.layouts import Layout, Rename, Twin
from zoo.weights.foreign.renaming import to_ours

Read = Callable[[str], Tensor]
"""Gives the tensor of a name, as ours."""


def untied(names: Iterable[str], layout: Layout, arguments: Mapping[str, Any], read: Read) -> dict[str, bool]:
    """Return the arguments that are false since a tensor differs from the one that it would be tied to."""
    return {
        twin.argument: False
        for name, target, twin in _pairs(list(names), layout)
        if twin.argument is not None and arguments[twin.argument] and not torch.equal(read(name), read(target))
    }


def copies(homeless: Iterable[str], names: Iterable[str], layout: Layout, read: Read, source: str) -> list[str]:
    """Return which of the names without a place are copies of another tensor.

    Raise IntegrityError for one that differs from the tensor that stands in its place.
    """
    without, found = set(homeless), list[str]()
    for name, target, twin in _pairs(list(names), layout):
        if name not in without:
            continue
        if twin.argument is None and not torch.equal(read(name), read(target)):
            raise IntegrityError(
                f"{source} holds {name}, which differs from {target}, and the model has one tensor for both; load it "
                f"with {layout.library}"
            )
        found.append(name)
    return found


def _pairs(names: list[str], layout: Layout) -> Iterator[tuple[str, str, Twin]]:
    for twin in layout.twins:
        for name in names:
            target = to_ours(name, (Rename(twin.source, twin.target),)).name
            if target != name and target in names:
                yield name, target, twin
