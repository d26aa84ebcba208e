"""Everything known here: what the plugins offer, plus the weights that registry.json lists."""

import difflib
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from zoo.errors import IntegrityError, NotFoundError, PluginError
from zoo.extras import install_command
from zoo.registry import families
from zoo.registry.offers import Offer as Offer
from zoo.registry.offers import key_of, yields
from zoo.registry.offers import matches as matches
from zoo.registry.plugins import Plugin, load_plugins
from zoo.specs.records import (
    CommandSpec,
    DatasetSpec,
    EngineSpec,
    FamilySpec,
    MethodSpec,
    ModalitySpec,
    ModelSpec,
    RecipeSpec,
    Spec,
    TaskSpec,
    TrackerSpec,
    singular,
)

if TYPE_CHECKING:
    from zoo.registry.catalogue import Catalogue, PublishedWeights
    from zoo.registry.facts import ModelFacts

CORE_OFFERS = (
    "zoo.modalities.offers",
    "zoo.data.offers",
    "zoo.tasks.offers",
    "zoo.tasks.text.offers",
    "zoo.engine.offers",
    "zoo.inference.offers",
)
"""Modules of the core whose hooks offer modalities, data sets and tasks, by name: they lie in rooms above this one."""

_LISTED = ("models", "weights", "recipes", "tasks", "datasets", "modalities")
"""What `zoo list` shows, each by an option of that name."""


class Registry:
    """Look things up by name: `name`, or for models `family/name`.

    Without a catalogue, that of registry.json is read when something of it is first asked for.
    """

    def __init__(self, plugins: list[Plugin], catalogue: "Catalogue | None" = None) -> None:
        self.plugins = plugins
        if catalogue is not None:
            self.catalogue = catalogue

    @cached_property
    def catalogue(self) -> "Catalogue":
        """The published weights that are known here."""
        from zoo.registry.catalogue import load_catalogue

        return load_catalogue()

    def offers(self, kind: str) -> Iterator[Offer[Any]]:
        """Yield what the plugins that loaded offer of one kind, such as models."""
        for plugin in self.plugins:
            if plugin.error is None:
                yield from (Offer(plugin, spec) for spec in plugin.offers.get(kind, ()))

    def models(self) -> list[Offer[ModelSpec]]:
        """Return the models by what they are asked for: a fallback is left out where another has its name."""
        offers: list[Offer[ModelSpec]] = list(self.offers("models"))
        taken = {offer.spec.name for offer in offers if not offer.spec.fallback}
        return [offer for offer in offers if not (offer.spec.fallback and offer.spec.name in taken)]

    def families(self) -> list[Offer[FamilySpec]]:
        """Return the families whose models are described when they are asked for."""
        return list(self.offers("families"))

    def family_models(self, pattern: str | None = None) -> Iterator[Offer[ModelSpec]]:
        """Yield the models of families whose names match: a fallback is left out where `models` has its name."""
        return families.models(self.families(), pattern, {offer.spec.name for offer in self.models()})

    def family_weights(self, pattern: str | None = None) -> Iterator[tuple[str, "PublishedWeights"]]:
        """Yield the weights that families know and the catalogue does not list, by names that match."""
        return families.weights(self.families(), pattern, self.catalogue.entries)

    def model(self, name: str, plugin: str | None = None) -> Offer[ModelSpec]:
        """Return the model of this name, or `family/name`; where several plugins offer it, that of `plugin`."""
        return self._find("models", name, plugin)

    def facts(self, offer: Offer[ModelSpec]) -> "ModelFacts":
        """Return what a model takes, as it is by default: as the catalogue counted it, or as far as its spec says."""
        from zoo.registry.facts import ModelFacts

        spec, listed = offer.spec, self.catalogue.models.get(offer.spec.name)
        if listed and self.catalogue.provider(spec.name) == offer.plugin.distribution:
            return listed
        return ModelFacts(parameters=spec.parameters)

    def recipe(self, name: str) -> Offer[RecipeSpec]:
        """Return the recipe of this name. Raise PluginError where it asks for something that nobody offers."""
        return self._met("recipes", self._find("recipes", name))

    def task(self, name: str) -> Offer[TaskSpec]:
        """Return the task of this name. Raise PluginError where it asks for something that nobody offers."""
        return self._met("tasks", self._find("tasks", name))

    def known_task(self, name: str) -> Offer[TaskSpec] | None:
        """Return the task of this name, None where nobody offers it: weights may be for what no plugin here knows."""
        return next((offer for offer in self.offers("tasks") if offer.spec.name == name), None)

    def modality(self, name: str) -> Offer[ModalitySpec]:
        """Return the modality of this name."""
        return self._find("modalities", name)

    def method(self, name: str) -> Offer[MethodSpec]:
        """Return the way to finetune of this name."""
        return self._find("methods", name)

    def tracker(self, name: str) -> Offer[TrackerSpec]:
        """Return the tracker of this name."""
        return self._find("trackers", name)

    def engine(self, name: str) -> Offer[EngineSpec]:
        """Return the engine of this name."""
        return self._find("engines", name)

    def dataset(self, name: str) -> Offer[DatasetSpec]:
        """Return the data set of this name."""
        return self._find("datasets", name)

    def command(self, name: str) -> Offer[CommandSpec]:
        """Return the plugin command of this name."""
        return self._find("commands", name)

    def weights(self, name: str, *, allow_mutable: bool = False) -> "PublishedWeights":
        """Return the catalogue's entry of this name, or a family's, which may have no files: nobody has pinned them.

        Raise NotFoundError with suggestions, or IntegrityError for an entry that was refused or that names a branch.
        """
        resolved = self.catalogue.resolve(name)
        if reason := self.catalogue.refused.get(resolved):
            raise IntegrityError(f"{reason}; correct the entry, or pull the repo itself: zoo pull hf://org/name")
        entry = self.catalogue.entries.get(resolved) or families.entry_named(self.families(), resolved)
        if entry is None:
            self.raise_elsewhere("weights", name)
            raise self._unknown("weights", name, self._names("weights"))
        if entry.files and not entry.pinned and not allow_mutable:
            raise IntegrityError(
                f"weights {name!r} name the revision {entry.revision!r}, which can change; "
                "pin a commit in registry.json, or pass --allow-mutable"
            )
        return entry

    def conflicts(self, plugin: Plugin) -> list[str]:
        """Say which names of this plugin another one offers too."""
        found = []
        for kind, specs in plugin.offers.items():
            takers: dict[str, set[str]] = {}
            for offer in self.offers(kind):
                if not yields(offer.spec):
                    takers.setdefault(key_of(offer.spec), set()).add(offer.plugin.distribution)
            for spec in specs:
                others = set() if yields(spec) else takers.get(key_of(spec), set()) - {plugin.distribution}
                meant = self._listed_for(spec.name) if others and kind == "models" else None
                known = meant == plugin.distribution or meant in others
                which = f", and means {meant}'s: registry.json lists it so" if known else ""
                found += [f"{singular(kind)} {spec.name!r} is also offered by {one}{which}" for one in sorted(others)]
        return found

    def _listed_for(self, name: str) -> str | None:
        """Return the distribution that a model's name belongs to by registry.json: no other one can take it over."""
        return self.catalogue.provider(name)

    def unmet(self, kind: str, spec: Spec) -> str | None:
        """Say what a spec asks for that nobody here offers: a modality, a capability of models, a target of data."""
        modalities = {offer.spec.name: offer.spec for offer in self.offers("modalities")}
        if (modality := getattr(spec, "modality", None)) is not None and modality not in modalities:
            return f"{singular(kind)} {spec.name!r} is for {modality} data, which no plugin here offers"
        if isinstance(spec, RecipeSpec):
            capabilities = {word for item in modalities.values() for word in item.capabilities}
            capabilities |= {word for offer in self.offers("models") for word in offer.spec.capabilities}
            if lacking := [word for word in spec.requires if word not in capabilities]:
                return f"recipe {spec.name!r} requires models that can {lacking[0]!r}, which none here offers"
        if isinstance(spec, TaskSpec) and spec.learns_from not in modalities[spec.modality].targets:
            has = ", ".join(modalities[spec.modality].targets)
            return f"task {spec.name!r} learns from {spec.learns_from!r}, and {spec.modality} data have {has}"
        return None

    def _met(self, kind: str, offer: Offer[Any]) -> Offer[Any]:
        if found := self.unmet(kind, offer.spec):
            raise PluginError(
                f"{found}; install the plugin that does, or report it to the author of {offer.plugin.distribution}"
            )
        return offer

    def _find(self, kind: str, name: str, plugin: str | None = None) -> Offer[Any]:
        found = [offer for offer in self.offers(kind) if name in (offer.spec.name, key_of(offer.spec))]
        if kind == "models" and (plugin is not None or all(yields(offer.spec) for offer in found)):
            found += families.models_named(self.families(), name)
        own = [offer for offer in found if offer.plugin.distribution == plugin]
        found = own or [offer for offer in found if not yields(offer.spec)] or found
        if len(found) > 1:
            meant = plugin or self._listed_for(name.rpartition("/")[2])
            found = [offer for offer in found if offer.plugin.distribution == meant] or found
        if len(found) == 1:
            return found[0]
        if found:
            providers = sorted({offer.plugin.distribution for offer in found})
            keys = sorted({key_of(offer.spec) for offer in found})
            cure = (
                f"write {' or '.join(keys)}"
                if len(keys) > 1
                else f"uninstall one of them: {' or '.join(f'pip uninstall {one}' for one in providers)}"
            )
            named = " and ".join(providers)
            raise PluginError(f"{singular(kind)} {name!r} is provided by both {named}; {cure}")
        self.raise_elsewhere(kind, name)
        raise self._unknown(kind, name, self._names(kind))

    def raise_elsewhere(self, kind: str, name: str) -> None:
        """Raise PluginError where an unknown name belongs, or must belong, to a plugin that did not load.

        Raise NotFoundError where it belongs to one that is not installed.
        """
        noun, bare = _noun(kind), name.rpartition("/")[2]
        for plugin in self.plugins:
            offered = {spec.name for spec in plugin.offers.get(kind, ())} | {plugin.entry_point}
            if plugin.error and bare in offered | set(self.catalogue.plugins.get(plugin.distribution, ())):
                raise PluginError(
                    f"{noun} {name!r} belongs to {plugin.distribution} {plugin.version}, which did not load: "
                    f"{plugin.error}; `zoo plugins` shows all plugins"
                )
        provider = self.catalogue.provider(bare.split(".")[0])
        if provider and provider not in {plugin.distribution for plugin in self.plugins}:
            raise NotFoundError(
                f"no {noun} named {_shown(name)}; plugin {provider} provides it: {install_command(provider)}"
            )

    def _cure(self, kind: str, name: str, other: str, listing: str) -> str:
        """Say what to type where the name is one of another kind."""
        if (kind, other) != ("weights", "models"):
            return f"choose one of {listing}"
        ours = [entry for entry in self.catalogue.entries if entry.startswith(f"{name}.")]
        made = f"make some by `zoo pretrain {name} --data DATA --out RUN`, and give RUN"
        return f"give {' or '.join(ours)}, or {made}" if ours else f"{made}, or choose one of {listing}"

    def _names(self, kind: str) -> set[str]:
        named = set(self.catalogue.entries) if kind == "weights" else {offer.spec.name for offer in self.offers(kind)}
        if kind in ("models", "weights"):
            named |= families.names(self.families(), kind)
        return named

    def _unknown(self, kind: str, name: str, known: Iterable[str]) -> NotFoundError:
        what = f"no {_noun(kind)} named {_shown(name)}"
        listing = f"`zoo list --{kind}`" if kind in _LISTED else "`zoo plugins`"
        close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.7)
        if close:
            return NotFoundError(f"{what}; did you mean {' or '.join(close)}? {listing} shows what there is")
        others = {known: one for one in reversed(_LISTED) if one != kind for known in self._names(one)}
        if name in others:
            return NotFoundError(
                f"{what}, which is a {_noun(others[name])}; {self._cure(kind, name, others[name], listing)}"
            )
        if near := difflib.get_close_matches(name, others, n=1, cutoff=0.85):
            meant = f"did you mean the {_noun(others[near[0]])} {near[0]}?"
            return NotFoundError(f"{what}; {meant} {listing} shows what there is")
        failed = [plugin.distribution for plugin in self.plugins if plugin.error]
        if failed:
            return NotFoundError(f"{what}; {', '.join(failed)} did not load and may offer it: `zoo plugins` says why")
        also = ", or give a folder or hf://org/name" if kind == "weights" else ""
        return NotFoundError(f"{what}; {listing} shows what there is{also}")


def _noun(kind: str) -> str:
    return kind if kind == "weights" else singular(kind)


def _shown(name: str) -> str:
    return repr(name) if len(name) <= 80 and name.isprintable() else ascii(name[:80])


@cache
def default_registry() -> Registry:
    """Return the registry of this process: the core's own offers, every installed plugin, and registry.json."""
    return Registry(load_plugins(CORE_OFFERS))
