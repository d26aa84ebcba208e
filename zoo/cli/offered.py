"""Options that take a name of what plugins offer."""

from collections.abc import Sequence

import click

from zoo.registry.registry import default_registry


class Offered(click.Choice[str]):
    """One of some names, or of what the registry offers of a kind: it is asked when the names are needed."""

    def __init__(self, kind: str, names: Sequence[str] = ()) -> None:
        self._kind = kind
        super().__init__(names)

    @property
    def choices(self) -> tuple[str, ...]:
        """The names."""
        return (*self._names, *(offer.spec.name for offer in default_registry().offers(self._kind)))

    @choices.setter
    def choices(self, names: Sequence[str]) -> None:
        self._names = names
