"""What Zoo asks of a task's network, a backbone with something of its own on it. Protocols: nothing is inherited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn


@runtime_checkable
class Network(Protocol):
    """Made by `network(backbone, num_classes, **arguments)`, which takes the backbone's own classifier away.

    `arguments` are the keyword arguments it was made with, JSON-able: config.json keeps them as `head`.
    """

    backbone: nn.Module
    num_classes: int
    arguments: dict[str, Any]
