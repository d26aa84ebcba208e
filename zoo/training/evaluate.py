"""Score weights on a data set, by the recipe that made them."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.data.origins import Origins, keeping_origins
from zoo.data.splitting import to_be_scored
from zoo.engine.device import choose_device
from zoo.engine.distribution import Distribution
from zoo.engine.prepare import place
from zoo.engine.recipe import Batch, EvaluatesEach
from zoo.engine.run import RECORD
from zoo.errors import UsageError, ZooError
from zoo.modalities.data_source import open_data, task_reader
from zoo.registry.recipe_settings import current_settings, settings_from
from zoo.registry.registry import Offer, default_registry
from zoo.specs.modality import Dataset, DataSource, Inputs, Need
from zoo.specs.records import RecipeSpec, TaskSpec
from zoo.specs.settings import TrainingSettings
from zoo.strict_json import parse_json
from zoo.tasks.class_scores import predictions_of, scores_by_class
from zoo.training.named_recipe import make_recipe
from zoo.training.run import batches
from zoo.weights.config import read_config
from zoo.weights.description import WeightsDescription
from zoo.weights.find import WeightsQuery, find_weights
from zoo.weights.folder import load_weights, offered_model
from zoo.weights.inputs import read_inputs

_log = logging.getLogger("zoo")


@dataclass(frozen=True)
class Evaluated:
    """What weights score on how many samples: over all, by class, and where it was asked for what is said of each."""

    scores: dict[str, float]
    samples: int
    by_class: Mapping[str, Mapping[str, float]]
    predictions: Sequence[Mapping[str, Any]] | None = field(repr=False)


@dataclass(frozen=True)
class Answers:
    """What weights say of every sample of a split, in its order: `logits` (samples, classes), and the true `labels`.

    `dataset` are the data as the weights take them, with their `classes`; its splits have `origins` where known.
    """

    dataset: Any = field(repr=False)
    classes: tuple[str, ...]
    logits: Tensor
    labels: Tensor


def answers_of(
    weights: str | Path, query: WeightsQuery, source: DataSource, splits: Sequence[str], *, device: str | None
) -> dict[str, Answers]:
    """Return answers to each of these splits, by name. Raise UsageError for weights that tell no classes apart."""
    folder = find_weights(weights, query)
    block = read_config(folder)
    offer, settings, task = _scored_by(block)
    with keeping_origins():
        dataset, inputs = _opened(folder, block, offer, settings, task, source)
        dataset, classes = _in_their_classes(dataset, block, task, source.name, weights)
    if lacking := [name for name in splits if name not in dataset.splits]:
        raise UsageError(f"{source.name!r} has no {lacking[0]} split; it has {', '.join(dataset.splits)}")
    distribution = Distribution(choose_device(device))
    placed = place(load_weights(folder, block), settings, distribution)
    recipe: Any = make_recipe(offer, settings, placed, classes, inputs)
    if not callable(getattr(recipe, "answers", None)):
        raise UsageError(f"{weights} is for {block.task}, which is no choice between classes; give a classifier")
    found = {}
    for name in splits:
        part: Any = dataset.splits[name]
        size = part.evaluation_batch_size(settings.batch_size)
        given = part.batches(batch_size=size, seed=0, shuffle=False, drop_last=False, device=distribution.device)
        indices: list[int] = []
        logits, labels = recipe.answers(_noted(given.epoch(0), indices))
        order = torch.tensor(indices).argsort()
        found[name] = Answers(dataset, classes, logits[order], labels[order])
    return found


def dataset_for(weights: str | Path, query: WeightsQuery, source: DataSource) -> Dataset:
    """Return data as the recipe of these weights scores them, in the classes of the weights."""
    folder = find_weights(weights, query)
    block = read_config(folder)
    offer, settings, task = _scored_by(block)
    with keeping_origins():
        dataset, _ = _opened(folder, block, offer, settings, task, source)
    return _in_their_classes(dataset, block, task, source.name, weights)[0]


def _scored_by(
    block: WeightsDescription,
) -> tuple[Offer[RecipeSpec], TrainingSettings, Offer[TaskSpec] | None]:
    """Return the recipe that weights are scored by, its settings, and their task."""
    registry = default_registry()
    offer = registry.recipe(block.recipe.name if block.recipe else registry.task(block.task).spec.recipe)
    settings = settings_from(offer, current_settings(block.recipe.name, block.recipe.settings) if block.recipe else {})
    return offer, settings, registry.known_task(block.task)


def evaluate_weights(
    weights: str | Path, query: WeightsQuery, source: DataSource, *, device: str | None, each: bool = False
) -> Evaluated:
    """Score the test split by the recipe that config.json names or its task's; with `each` tell of every sample.

    Of data without one everything is scored, or what was held out where the weights have learnt from the rest.
    Classes are those of the weights, by name. Raise UsageError for data with others, and for a recipe that says nothing
    of single samples.
    """
    folder = find_weights(weights, query)
    block = read_config(folder)
    offer, settings, task = _scored_by(block)
    opened = partial(_opened, folder, block, offer, settings, task, source)
    with keeping_origins() if each else nullcontext():
        dataset, inputs = _to_score(folder, block, settings, source, opened)
    with to_be_scored():
        dataset, classes = _in_their_classes(dataset, block, task, source.name, weights)
    distribution = Distribution(choose_device(device))
    placed = place(load_weights(folder, block), settings, distribution)
    recipe: Any = make_recipe(offer, settings, placed, classes, inputs)
    indices: list[int] = []
    held_out = _noted(batches(dataset, "test", settings, distribution).epoch(0), indices)
    samples = len(dataset.splits["test"])
    answers: Callable[..., Any] | None = getattr(recipe, "answers", None)
    if answers is not None:
        logits, labels = answers(held_out)
        said = _placed(predictions_of(logits, labels, classes), indices, dataset) if each else None
        return Evaluated(recipe.scores(logits, labels), samples, scores_by_class(logits, labels, classes), said)
    if not each:
        scores = recipe.evaluate(held_out)
        return Evaluated(scores, samples, _named_in(scores, classes), None)
    if not isinstance(recipe, EvaluatesEach):
        raise UsageError(
            f"{weights} is scored by recipe {offer.spec.name!r} of {offer.plugin.distribution}, which says nothing of "
            "single samples; omit --out"
        )
    scores, rows = recipe.evaluate_each(held_out)
    return Evaluated(scores, samples, _named_in(scores, classes), _placed(rows, indices, dataset))


def _noted(held_out: Iterable[Batch], indices: list[int]) -> Iterator[Batch]:
    """Pass batches on, and note which samples of the split they have: those of like length may lie together."""
    for batch in held_out:
        indices += batch["index"].tolist()
        yield batch


def _placed(rows: Sequence[Mapping[str, Any]], indices: Sequence[int], dataset: Dataset) -> list[Mapping[str, Any]]:
    """Return what is said of each sample in the order of the split, with what it was made from: its file, its text."""
    origins: Origins | None = getattr(dataset.splits["test"], "origins", None)
    placed = sorted(zip(indices, rows, strict=True), key=lambda pair: pair[0])
    return [{"index": index, **(origins[index] if origins else {}), **row} for index, row in placed]


def _opened(
    folder: Path,
    block: WeightsDescription,
    offer: Offer[RecipeSpec],
    settings: TrainingSettings,
    task: Offer[TaskSpec] | None,
    source: DataSource,
) -> tuple[Dataset, Inputs]:
    model = offered_model(block, str(folder / "config.json")).spec
    need = Need(
        stage="finetune",
        recipe=offer.spec,
        settings=settings,
        model=model,
        inputs=read_inputs(folder, model.modality, block.inputs, block.arguments),
        task=task.spec if task and offer.spec.stage == "finetune" else None,
        same_task=True,
        reader=task_reader(task),
        scored=True,
    )
    dataset, inputs = open_data(source, need)
    if need.learns_from is not None:
        dataset.check(need.learns_from)
    elif offer.spec.labels:
        dataset.check("labels")
    return dataset, inputs


def _to_score(
    folder: Path,
    block: WeightsDescription,
    settings: TrainingSettings,
    source: DataSource,
    opened: Callable[[], tuple[Dataset, Inputs]],
) -> tuple[Dataset, Inputs]:
    """Return the data to score on; those that the weights have learnt from as they were split then.

    Of such data what was held out is scored alone. They are known by their contents, and opened once where they have
    the name that the source says.
    """
    likely = block.data is not None and block.data.name in _names_of(source.name)
    if likely and (own := _learnt_from(folder, block, settings, opened)) is not None:
        return own
    with to_be_scored():
        dataset, inputs = opened()
    named = block.data is not None and block.data.name == dataset.name
    own = _learnt_from(folder, block, settings, opened) if named and not likely else None
    return own or (dataset, inputs)


def _names_of(source: str) -> set[str]:
    """Return what data are called that lie there."""
    place = Path(source).resolve()
    return {source, place.name, place.stem, place.name.partition("@")[0]}


def _learnt_from(
    folder: Path, block: WeightsDescription, settings: TrainingSettings, opened: Callable[[], tuple[Dataset, Inputs]]
) -> tuple[Dataset, Inputs] | None:
    """Return the data as they are split to train on, where they are those that the weights have learnt from.

    What is logged of others is not said, since they are opened anew.
    """
    logged: list[logging.LogRecord] = []

    def keep(record: logging.LogRecord) -> bool:
        logged.append(record)
        return False

    _log.addFilter(keep)
    try:
        dataset, inputs = opened()
    except ZooError:
        return None
    finally:
        _log.removeFilter(keep)
    path = folder / RECORD
    labels = parse_json(path.read_bytes(), str(path)).get("labels") if path.is_file() else None
    known = [dataset, dataset.subset(labels, settings.seed)] if isinstance(labels, int) else [dataset]
    if block.data is None or block.data.fingerprint not in [item.fingerprint for item in known]:
        return None
    for record in logged:
        _log.handle(record)
    return dataset, inputs


def _in_their_classes(
    dataset: Dataset, block: WeightsDescription, task: Offer[TaskSpec] | None, source: str, weights: str | Path
) -> tuple[Dataset, tuple[str, ...]]:
    """Return the data set with the classes that the weights know, by name."""
    known, found = block.labels, dataset.classes
    if known and found and known != found:
        strange = [name for name in found if name not in known]
        if strange or not hasattr(dataset, "with_classes"):
            which = (
                f"{', '.join(strange[:5])}{' …' if strange[5:] else ''}" if strange else "their classes in this order"
            )
            raise UsageError(
                f"{source!r} has classes that {weights} does not know: {which}; it knows {', '.join(known[:5])}"
                f"{' …' if known[5:] else ''}; evaluate on data of these classes"
            )
        dataset = dataset.with_classes(known)
    num_classes = block.arguments.get("num_classes")
    classified = task is not None and task.spec.learns_from == "labels" and block.head is None
    if block.recipe is None and classified and num_classes != len(dataset.classes):
        raise UsageError(
            f"{source!r} has {len(dataset.classes)} classes, {weights} has a head of {num_classes}; "
            "evaluate on data of the same classes, or finetune first"
        )
    return dataset, known or (() if block.recipe else dataset.classes)


def _named_in(scores: Mapping[str, float], classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return by class the scores whose names end in one: ap50/cat."""
    found: dict[str, dict[str, float]] = {}
    for name, value in scores.items():
        figure, _, of = name.partition("/")
        if of in classes:
            found.setdefault(of, {})[figure] = value
    return found
