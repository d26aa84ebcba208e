"""Score weights on a data set, by the recipe that made them."""

from pathlib import Path

from zoo.data.tiers import AnyDataset
from zoo.data_source import DataSource
from zoo.engine.device import choose_device
from zoo.engine.distribution import Distribution
from zoo.engine.prepare import place
from zoo.errors import UsageError
from zoo.recipes import settings_from
from zoo.registry import Offer, default_registry
from zoo.running import batches, make_recipe
from zoo.settings import TrainingSettings
from zoo.sources import find_weights
from zoo.specs import TaskSpec
from zoo.text_source import texts_for
from zoo.weights.config import Preprocessing, ZooBlock, read_config
from zoo.weights.folder import load_weights, offered_model
from zoo.weights.tokenizer import TextInputs, read_text_inputs


def evaluate_weights(
    weights: str | Path, source: DataSource, *, hub: str | Path | None, device: str | None
) -> dict[str, float]:
    """Return the scores on the test split, by the recipe that config.json names, or else that of its task."""
    folder = find_weights(weights, hub=hub)
    block = read_config(folder)
    registry = default_registry()
    offer = registry.recipe(block.recipe.name if block.recipe else registry.task(block.task).spec.recipe)
    settings = settings_from(offer, block.recipe.settings if block.recipe else {})
    task = registry.known_task(block.task)
    dataset, inputs = (
        _texts(source, folder, block, settings, task if offer.spec.stage == "finetune" else None)
        if offer.spec.modality == "text"
        else _pictures(source, block, task)
    )
    if block.labels and dataset.classes and dataset.classes != block.labels:
        raise UsageError(
            f"{source.name!r} has other classes ({', '.join(dataset.classes[:5])} …) than {weights} knows "
            f"({', '.join(block.labels[:5])} …); evaluate on data of the same classes"
        )
    num_classes = block.arguments.get("num_classes")
    if block.recipe is None and offer.spec.modality == "image" and num_classes != len(dataset.classes):
        raise UsageError(
            f"{source.name!r} has {len(dataset.classes)} classes, {weights} has a head of {num_classes}; "
            "evaluate on data of the same classes, or finetune first"
        )
    distribution = Distribution(choose_device(device))
    model = place(load_weights(folder, block), settings, distribution)
    classes = block.labels or (() if block.recipe else dataset.classes)
    recipe = make_recipe(offer, settings, model, classes, inputs)
    return recipe.evaluate(batches(dataset, "test", settings, distribution).epoch(0))


def _pictures(
    source: DataSource, block: ZooBlock, task: Offer[TaskSpec] | None
) -> tuple[AnyDataset, Preprocessing | TextInputs]:
    dataset = source.open_for(block, task)
    made = Preprocessing(image_size=dataset.image_size, channels=dataset.channels)
    return dataset, block.preprocessing or made


def _texts(
    source: DataSource, folder: Path, block: ZooBlock, settings: TrainingSettings, task: Offer[TaskSpec] | None
) -> tuple[AnyDataset, Preprocessing | TextInputs]:
    model = offered_model(block, str(folder / "config.json")).spec
    return texts_for(
        source, read_text_inputs(folder, block), model, settings, task.spec.learns_from if task else "tokens"
    )
