"""Put a job together: model, recipe, settings, data, run folder; let the loop train; export what it made."""

import dataclasses
import platform
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

import zoo
from zoo.api import RunResult
from zoo.data.batches import TensorBatches
from zoo.data.dataset import ImageDataset
from zoo.data.open import open_dataset
from zoo.engine.device import choose_device
from zoo.engine.loop import train
from zoo.engine.pictures import loss_curve
from zoo.engine.progress import Progress
from zoo.engine.recipe import Recipe
from zoo.engine.run import Run
from zoo.errors import NotFoundError, PluginError, UsageError
from zoo.export import export_run
from zoo.recipes import fitting, recipe_settings, settings_from, settings_toml
from zoo.registry import Offer, default_registry
from zoo.seeds import derive
from zoo.settings import TrainingSettings
from zoo.sources import find_weights
from zoo.specs import ModelSpec, RecipeSpec, load_target
from zoo.weights.build import build, full_arguments, load_model_target
from zoo.weights.config import DataRecord, Preprocessing, RecipeRecord, ZooBlock, read_config
from zoo.weights.folder import load_weights, offered_model


@dataclass(frozen=True)
class Job:
    """Everything that is settled before the first step."""

    offer: Offer[ModelSpec]
    arguments: dict[str, Any]
    recipe: Offer[RecipeSpec]
    settings: TrainingSettings
    dataset: ImageDataset
    task: str
    resolved: dict[str, Any]


@dataclass(frozen=True)
class Training:
    """Where a job reads, writes and computes."""

    data: str
    data_dir: Path | None
    out: Path
    device: str | None
    progress: bool

    def pretrain(
        self,
        model: str,
        recipe: str | None,
        settings: Mapping[str, Any],
        arguments: Mapping[str, Any],
        *,
        resume: bool,
        force: bool,
    ) -> RunResult:
        """Train a fresh model by a recipe of the stage pretrain."""
        offer = default_registry().model(model)
        spec, chosen = recipe_settings(recipe, model, settings)
        if spec.stage != "pretrain":
            raise UsageError(
                f"recipe {spec.name!r} finetunes; use `zoo finetune`, or choose another (`zoo list --recipes`)"
            )
        fitting(spec, offer.spec)
        device = choose_device(self.device)
        dataset = _open(self.data, self.data_dir, arguments.get("image_size"), arguments.get("channels"))
        taken = full_arguments(offer, {**_fitted(offer, dataset), **arguments})
        job = self._job("pretrain", offer, taken, spec, chosen, dataset, offer.spec.task, {})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(chosen.seed, "model"))
            fresh = build(offer, taken)
            return self._run(job, fresh, (), device, resume=resume, force=force)

    def finetune(
        self,
        weights: str | Path,
        task: str,
        settings: Mapping[str, Any],
        *,
        labels: int | None,
        hub: str | Path | None,
        resume: bool,
        force: bool,
    ) -> RunResult:
        """Train pretrained weights on, by the recipe of the task."""
        registry = default_registry()
        recipe = registry.recipe(registry.task(task).spec.recipe)
        chosen = settings_from(recipe, settings)
        device = choose_device(self.device)
        folder = find_weights(weights, hub=hub)
        block = read_config(folder)
        offer = offered_model(block, str(folder / "config.json"))
        fitting(recipe.spec, offer.spec)
        dataset = _open_for(block, self.data, self.data_dir)
        dataset.check_labels()
        if labels is not None:
            dataset = dataset.subset(labels, chosen.seed)
        started = {"weights": str(weights), "labels": labels}
        job = self._job("finetune", offer, block.arguments, recipe.spec, chosen, dataset, task, started)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(chosen.seed, "model"))
            scratch = getattr(chosen, "method", None) == "scratch"
            model = build(offer, block.arguments) if scratch else load_weights(folder, block)
            return self._run(job, model, dataset.classes, device, resume=resume, force=force)

    def _job(
        self,
        kind: str,
        offer: Offer[ModelSpec],
        arguments: dict[str, Any],
        recipe: RecipeSpec,
        settings: TrainingSettings,
        dataset: ImageDataset,
        task: str,
        started: Mapping[str, Any],
    ) -> Job:
        resolved = {
            "kind": kind,
            "model": offer.spec.name,
            "arguments": arguments,
            "recipe": recipe.name,
            "settings": dataclasses.asdict(settings),
            "task": task,
            "data": {"name": dataset.name, "fingerprint": dataset.fingerprint},
            **started,
            "environment": {
                "zoo": zoo.__version__,
                offer.plugin.distribution: offer.plugin.version,
                "torch": torch.__version__,
                "python": platform.python_version(),
                "threads": torch.get_num_threads(),
            },
            "command": shlex.join(["zoo", *sys.argv[1:]]) if Path(sys.argv[0]).name == "zoo" else None,
        }
        return Job(offer, arguments, default_registry().recipe(recipe.name), settings, dataset, task, resolved)

    def _run(
        self, job: Job, model: nn.Module, classes: tuple[str, ...], device: torch.device, *, resume: bool, force: bool
    ) -> RunResult:
        start = time.perf_counter()
        settings, spec = job.settings, job.recipe.spec
        run = Run.resume(self.out, job.resolved) if resume else Run.create(self.out, resolved=job.resolved, force=force)
        run.write_recipe(settings_toml(spec.name, settings))
        held_out = "validation" if settings.validation else "test"
        dataset = job.dataset.hold_out(settings.validation, settings.seed) if settings.validation else job.dataset
        # channels last: convolutions run about twice as fast on CPU, and faster on GPU
        model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        recipe = make_recipe(job.recipe, settings, model, classes)
        train(
            recipe,
            batches(dataset, "train", settings, device),
            batches(dataset, held_out, settings, device),
            settings=settings,
            run=run,
            device=device,
            progress=Progress(enabled=self.progress, title=f"{job.offer.spec.name} · {spec.name}"),
            resume=resume,
            score=spec.score,
            higher_is_better=spec.higher_is_better,
            split=held_out,
        )
        test = batches(dataset, "test", settings, device)
        scores = recipe.evaluate(test.epoch(0))
        run.log({"event": "test", **scores})
        pictures = [loss_curve(run.metrics, run.pictures / "curves.png"), *recipe.pictures(test.epoch(0), run.pictures)]
        exported = recipe.export()
        weights = export_run(run, exported, _block(job, exported, classes), scores, pictures)
        return RunResult(run.folder, weights, scores, tuple(pictures), time.perf_counter() - start)


def make_recipe(
    offer: Offer[RecipeSpec], settings: TrainingSettings, model: nn.Module, classes: tuple[str, ...]
) -> Recipe:
    """Import a recipe and make it for this model. Raise PluginError where its plugin fails at that."""
    try:
        target = load_target(offer.spec.target)
    except Exception as error:
        raise PluginError(
            f"recipe {offer.spec.name!r} of {offer.plugin.distribution} {offer.plugin.version} failed: "
            f"{type(error).__name__}: {error}; `zoo plugins` shows all plugins"
        ) from error
    return cast(Recipe, target(settings, model, classes))


def batches(dataset: ImageDataset, split: str, settings: TrainingSettings, device: torch.device) -> TensorBatches:
    """Return the batches of a split: shuffled for training, in order and with larger batches otherwise."""
    training = split == "train"
    part = dataset.splits[split]
    return TensorBatches(
        part.images,
        part.labels,
        batch_size=settings.batch_size if training else max(settings.batch_size, 256),
        seed=settings.seed,
        shuffle=training,
        drop_last=training,
        device=device,
    )


def evaluate_weights(
    weights: str | Path, *, data: str, data_dir: Path | None, hub: str | Path | None, device: str | None
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
    dataset = _open_for(block, data, data_dir)
    if block.labels and dataset.classes != block.labels:
        raise UsageError(
            f"{data!r} has other classes ({', '.join(dataset.classes[:5])} …) than {weights} knows "
            f"({', '.join(block.labels[:5])} …); evaluate on data of the same classes"
        )
    chosen = choose_device(device)
    recipe = make_recipe(offer, settings, load_weights(folder, block).to(chosen), block.labels)
    return recipe.evaluate(batches(dataset, "test", settings, chosen).epoch(0))


def _open(data: str, data_dir: Path | None, image_size: Any = None, channels: int | None = None) -> ImageDataset:
    registry = default_registry()
    spec = None
    if not Path(data).is_dir() or any(offer.spec.name == data for offer in registry.offers("datasets")):
        try:
            spec = registry.dataset(data).spec
        except NotFoundError as error:
            raise NotFoundError(f"{error}, or give a folder of pictures") from None
    size = (
        None if image_size is None else (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    )
    return open_dataset(data, data_dir=data_dir, spec=spec, image_size=size, channels=channels)


def _open_for(block: ZooBlock, data: str, data_dir: Path | None) -> ImageDataset:
    """Open data as pictures of the size and the channels that the weights take."""
    wanted = block.preprocessing
    return _open(data, data_dir, wanted.image_size if wanted else None, wanted.channels if wanted else None)


def _fitted(offer: Offer[ModelSpec], dataset: ImageDataset) -> dict[str, Any]:
    """Return the arguments that make the model fit the pictures, as far as it takes any."""
    import inspect

    height, width = dataset.image_size
    known = inspect.signature(load_model_target(offer)).parameters
    wanted = {"image_size": height if height == width else [height, width], "channels": dataset.channels}
    return {name: value for name, value in wanted.items() if name in known}


def _block(job: Job, model: nn.Module, classes: tuple[str, ...]) -> ZooBlock:
    num_classes = getattr(model, "num_classes", None)
    arguments = {**job.arguments, **({"num_classes": num_classes} if "num_classes" in job.arguments else {})}
    dataset = job.dataset
    return ZooBlock(
        format_version=1,
        plugin=job.offer.plugin.distribution,
        plugin_version=job.offer.plugin.version,
        architecture=job.offer.spec.name,
        arguments=arguments,
        task=job.task,
        labels=classes,
        preprocessing=Preprocessing(image_size=dataset.image_size, channels=dataset.channels),
        recipe=RecipeRecord(name=job.recipe.spec.name, settings=dataclasses.asdict(job.settings)),
        data=DataRecord(name=dataset.name, fingerprint=dataset.fingerprint, licence=dataset.licence),
    )
