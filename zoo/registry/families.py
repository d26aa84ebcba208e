"""What families know: their tables are read when somebody asks for a name of theirs, or for all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from zoo.errors import PluginError
from zoo.registry.offers import Offer, matches
from zoo.specs.families import Family
from zoo.specs.named import load_target
from zoo.specs.records import FamilySpec, ModelSpec

if TYPE_CHECKING:
    from zoo.registry.catalogue import PublishedWeights

Offers = Iterable[Offer[FamilySpec]]


def models(families: Offers, pattern: str | None, taken: Collection[str]) -> Iterator[Offer[ModelSpec]]:
    """Yield models whose names match; a fallback is left out where its name is taken."""
    for family in families:
        known = table(family)
        for name in known.models():
            if matches(name, pattern) and not (name in taken and known.model(name).fallback):
                yield Offer(family.plugin, known.model(name))


def weights(families: Offers, pattern: str | None, taken: Collection[str]) -> Iterator[tuple[str, PublishedWeights]]:
    """Yield weights whose names match, but for names that are taken."""
    for family in families:
        known = table(family)
        for name in known.weights():
            if matches(name, pattern) and name not in taken:
                yield name, _entry(family, known, name)


def models_named(families: Offers, name: str) -> list[Offer[ModelSpec]]:
    """Return the models of this name, or `family/name`."""
    found = []
    for family in families:
        bare = name.removeprefix(f"{family.spec.name}/")
        if "/" not in bare and bare in (known := table(family)).models():
            found.append(Offer(family.plugin, known.model(bare)))
    return found


def entry_named(families: Offers, name: str) -> PublishedWeights | None:
    """Return what is known of weights of this name."""
    found = (_entry(family, known, name) for family in families if name in (known := table(family)).weights())
    return next(found, None)


def names(families: Offers, kind: str) -> set[str]:
    """Return all names of models, or of weights."""
    tables = map(table, families)
    return {name for known in tables for name in (known.models() if kind == "models" else known.weights())}


def table(offer: Offer[FamilySpec]) -> Family:
    """Return what a family knows. Raise PluginError where its plugin fails at that."""
    try:
        found = load_target(offer.spec.target)
        if not isinstance(found, Family):
            raise TypeError("not a zoo.Family")
    except Exception as error:
        raise PluginError(
            f"family {offer.spec.name!r} of {offer.plugin.distribution} {offer.plugin.version} failed: "
            f"{type(error).__name__}: {error}; `zoo plugins` shows all plugins"
        ) from error
    return found


def _entry(offer: Offer[FamilySpec], known: Family, name: str) -> PublishedWeights:
    from zoo.registry.catalogue import unpinned_entry

    return unpinned_entry({**known.entry(name), "plugin": offer.plugin.distribution}, name)
