"""What the target of a `zoo.FamilySpec` keeps: the names that it knows, and what is said of one of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol, runtime_checkable

from zoo.specs.records import ModelSpec


@runtime_checkable
class Family(Protocol):
    """Many models and weights of them. It reads a table that ships with the plugin, and imports no torch."""

    def models(self) -> Collection[str]:
        """Return the names of the models."""
        ...

    def model(self, name: str) -> ModelSpec:
        """Return the spec of one of them."""
        ...

    def weights(self) -> Collection[str]:
        """Return the names of the published weights, `model.tag`, or `model` where there are but these."""
        ...

    def entry(self, name: str) -> Mapping[str, Any]:
        """Return what registry.json would say of weights, without the plugin.

        Without `files` nobody has pinned their bytes: the first pull does, in zoo.lock; `revision` is main then.
        """
        ...
