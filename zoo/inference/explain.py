"""Say what a prediction rests on, by what plugins offer for that."""

from collections.abc import Sequence
from typing import Any

from zoo.errors import NotFoundError, PluginError, UsageError
from zoo.registry.loading import load_named, naming
from zoo.registry.registry import Offer, default_registry
from zoo.specs.explainers import Explainer
from zoo.specs.modality import Loaded
from zoo.specs.records import ExplainerSpec


class Explain:
    """Bound to a loaded model as `model.explain`, where a plugin offers explainers of its kind of data and its task."""

    def __init__(self, loaded: Loaded, offers: Sequence[Offer[ExplainerSpec]]) -> None:
        self._loaded = loaded
        self._offers = offers
        self._made: dict[str, Explainer] = {}

    def __call__(
        self, items: Any, *, method: str | None = None, target: str | None = None, batch_size: int = 16
    ) -> list[dict[str, Any]]:
        """Return a result for each item, by a method of `methods`, or without one by the first that fits the model.

        `target` is what is explained, such as a class; without one it is what the model predicts. An item is what
        `model.predict` takes.
        """
        if batch_size < 1:
            raise UsageError(f"batch_size is {batch_size}; give 1 or more")
        several = list(items) if isinstance(items, Sequence) and not isinstance(items, str) else [items]
        return self.explainer(method)(several, target=target, batch_size=batch_size)

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of all that is offered for such weights; some may not fit the model."""
        return tuple(dict.fromkeys(offer.spec.name for offer in self._offers))

    def explainer(self, method: str | None = None) -> Explainer:
        """Return an explainer by its name, without one the first that fits. Raise UsageError where none does."""
        if method is not None and method not in self.methods:
            raise NotFoundError(f"no method {method!r} explains these weights; choose of {', '.join(self.methods)}")
        if method is not None:
            return self._explainer(method)
        first: UsageError | None = None
        for name in self.methods:
            try:
                return self._explainer(name)
            except UsageError as error:
                first = first or error
        raise first or UsageError("no method explains these weights")

    def fitting(self) -> list[str]:
        """Return the names of the methods that fit the model."""
        found = []
        for name in self.methods:
            try:
                self._explainer(name)
            except UsageError:
                continue
            found.append(name)
        return found

    def _explainer(self, name: str) -> Explainer:
        if name not in self._made:
            offer = next(offer for offer in self._offers if offer.spec.name == name)
            target = load_named(offer, "target")
            with naming(offer.plugin, f"explainer {name!r}"):
                made = target(self._loaded)
            if not isinstance(made, Explainer):
                raise PluginError(
                    f"explainer {name!r} of {offer.plugin.distribution} made a {type(made).__name__}, no "
                    "zoo.Explainer; report it to its author"
                )
            self._made[name] = made
        return self._made[name]


def bind_explain(loaded: Loaded) -> None:
    """Let a model as it was stored explain what it predicts, where a plugin offers that for its data and its task."""
    task, modality = loaded.description.task, loaded.spec.modality
    offers: list[Offer[ExplainerSpec]] = [
        offer
        for offer in default_registry().offers("explainers")
        if offer.spec.modality in (None, modality) and offer.spec.task in (None, task)
    ]
    if offers and not loaded.changed and not callable(getattr(type(loaded.model), "explain", None)):
        loaded.model.explain = Explain(loaded, offers)
