"""Score weights on a data set, by the recipe that made them."""

from pathlib import Path

from zoo.engine.device import choose_device
from zoo.engine.distribution import Distribution
from zoo.engine.prepare import place
from zoo.errors import UsageError
from zoo.modalities.data_source import open_data, task_reader
from zoo.registry.recipe_settings import settings_from
from zoo.registry.registry import default_registry
from zoo.specs.modality import DataSource, Need
from zoo.training.named_recipe import make_recipe
from zoo.training.run import batches
from zoo.weights.config import read_config
from zoo.weights.find import WeightsQuery, find_weights
from zoo.weights.folder import load_weights, offered_model
from zoo.weights.inputs import read_inputs


def evaluate_weights(
    weights: str | Path, query: WeightsQuery, source: DataSource, *, device: str | None
) -> dict[str, float]:
    """Return the scores on the test split, by the recipe that config.json names, or else that of its task."""
    folder = find_weights(weights, query)
    block = read_config(folder)
    registry = default_registry()
    offer = registry.recipe(block.recipe.name if block.recipe else registry.task(block.task).spec.recipe)
    settings = settings_from(offer, block.recipe.settings if block.recipe else {})
    task = registry.known_task(block.task)
    model = offered_model(block, str(folder / "config.json")).spec
    need = Need(
        stage="finetune",
        recipe=offer.spec,
        settings=settings,
        model=model,
        inputs=read_inputs(folder, model.modality, block.inputs, block.arguments),
        task=task.spec if task and offer.spec.stage == "finetune" else None,
        goes_on=True,
        reader=task_reader(task),
    )
    dataset, inputs = open_data(source, need)
    if block.labels and dataset.classes and dataset.classes != block.labels:
        raise UsageError(
            f"{source.name!r} has different classes ({', '.join(dataset.classes[:5])} …) than {weights} knows "
            f"({', '.join(block.labels[:5])} …); evaluate on data of the same classes"
        )
    num_classes = block.arguments.get("num_classes")
    classified = task is not None and task.spec.learns_from == "labels" and block.head is None
    if block.recipe is None and classified and num_classes != len(dataset.classes):
        raise UsageError(
            f"{source.name!r} has {len(dataset.classes)} classes, {weights} has a head of {num_classes}; "
            "evaluate on data of the same classes, or finetune first"
        )
    distribution = Distribution(choose_device(device))
    placed = place(load_weights(folder, block), settings, distribution)
    classes = block.labels or (() if block.recipe else dataset.classes)
    recipe = make_recipe(offer, settings, placed, classes, inputs)
    return recipe.evaluate(batches(dataset, "test", settings, distribution).epoch(0))
