"""Score weights on a data set, by the recipe that made them."""

from pathlib import Path

from zoo.engine.device import choose_device
from zoo.engine.distribution import Distribution
from zoo.engine.prepare import place
from zoo.errors import NotFoundError, UsageError
from zoo.jobs import DataSource
from zoo.recipes import settings_from
from zoo.registry import default_registry
from zoo.running import batches, make_recipe
from zoo.sources import find_weights
from zoo.weights.config import read_config
from zoo.weights.folder import load_weights


def evaluate_weights(
    weights: str | Path, source: DataSource, *, hub: str | Path | None, device: str | None
) -> dict[str, float]:
    """Return the scores on the test split, by the recipe that config.json names."""
    folder = find_weights(weights, hub=hub)
    block = read_config(folder)
    if block.recipe is None:
        raise NotFoundError(
            f"{folder} names no recipe to evaluate by; train it with zoo, or add the recipe to config.json"
        )
    offer = default_registry().recipe(block.recipe.name)
    settings = settings_from(offer, block.recipe.settings)
    dataset = source.open_for(block)
    if block.labels and dataset.classes != block.labels:
        raise UsageError(
            f"{source.name!r} has other classes ({', '.join(dataset.classes[:5])} …) than {weights} knows "
            f"({', '.join(block.labels[:5])} …); evaluate on data of the same classes"
        )
    distribution = Distribution(choose_device(device))
    model = place(load_weights(folder, block), settings, distribution)
    recipe = make_recipe(offer, settings, model, block.labels)
    return recipe.evaluate(batches(dataset, "test", settings, distribution).epoch(0))
