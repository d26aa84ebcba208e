"""A recipe whose failures name its plugin."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from zoo.data.draws import Draws
from zoo.engine.distribution import peer_lost
from zoo.engine.recipe import Batch, Loss, Recipe
from zoo.errors import PluginError
from zoo.registry.loading import naming
from zoo.registry.registry import Offer
from zoo.specs.modality import Inputs
from zoo.specs.named import load_target
from zoo.specs.records import RecipeSpec
from zoo.specs.settings import TrainingSettings

_LOGGED = ("loss", "rate", "step", "epoch", "event")
"""Names that the loop itself gives to what it logs."""
_OPTIONAL = ("answers", "scores", "evaluate_each")
"""Methods that a recipe may have besides those of the protocol."""


def make_recipe(
    offer: Offer[RecipeSpec],
    settings: TrainingSettings,
    model: nn.Module,
    classes: tuple[str, ...],
    inputs: Inputs,
) -> Recipe:
    """Import a recipe and make it for this model. Raise PluginError where its plugin fails, at this or later."""
    with _named(offer):
        target = load_target(offer.spec.target)
        return cast(Recipe, NamedRecipe(offer, target(settings, model, classes, inputs)))


class NamedRecipe:
    """Keeps `zoo.Recipe`; what else the recipe has is there, too."""

    def __init__(self, offer: Offer[RecipeSpec], recipe: Recipe) -> None:
        self._offer = offer
        self._recipe = recipe

    def modules(self) -> Mapping[str, nn.Module]:
        with _named(self._offer):
            return self._recipe.modules()

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        with _named(self._offer):
            return self._recipe.optimizers()

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        losses = self._recipe.step(batch, draws)
        while True:
            with _named(self._offer):
                loss = next(losses, None)
            if loss is None:
                return
            if taken := [name for name in loss.metrics if name in _LOGGED or name == f"loss/{loss.optimizer}"]:
                raise PluginError(
                    f"recipe {self._offer.spec.name!r} of {self._offer.plugin.distribution} "
                    f"{self._offer.plugin.version} gives a figure the name {taken[0]!r}, which is that of the loss "
                    "itself or of its place; give it another"
                )
            yield loss

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        with _named(self._offer):
            return self._recipe.evaluate(batches)

    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        with _named(self._offer):
            return self._recipe.pictures(batches, folder)

    def export(self) -> nn.Module:
        with _named(self._offer):
            return self._recipe.export()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._recipe, name)
        if name not in _OPTIONAL:
            return found

        def named(*given: Any) -> Any:
            with _named(self._offer):
                return found(*given)

        return named


@contextmanager
def _named(offer: Offer[RecipeSpec]) -> Iterator[None]:
    """Name plugin and recipe where they fail; memory that is short and a process that died are none of theirs."""
    passed: BaseException | None = None
    with naming(offer.plugin, f"recipe {offer.spec.name!r}"):
        try:
            yield
        except Exception as error:
            if not (isinstance(error, torch.OutOfMemoryError) or peer_lost(error)):
                raise
            passed = error
    if passed is not None:
        raise passed
