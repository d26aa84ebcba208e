"""Run a job that is settled: ready its modules, let the loop train, take scores and pictures, export."""

import dataclasses
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.engine.distribution import Distribution, join
from zoo.engine.guard import guarded
from zoo.engine.loop import Evaluation, Plan, evaluate, train
from zoo.engine.options import RunOptions
from zoo.engine.pictures import loss_curve
from zoo.engine.prepare import place, prepare
from zoo.engine.progress import Progress
from zoo.engine.run import Run
from zoo.engine.stepper import Stepper
from zoo.engine.tracking import make_trackers
from zoo.errors import UsageError
from zoo.registry.recipe_settings import settings_toml
from zoo.registry.registry import default_registry
from zoo.seeds import derive
from zoo.specs.modality import Batches, Dataset
from zoo.specs.networks import Network
from zoo.specs.settings import TrainingSettings
from zoo.training.export import export_run
from zoo.training.job import TrainingJob
from zoo.training.named_recipe import make_recipe
from zoo.training.preflight import check_recipe
from zoo.training.result import RunResult
from zoo.weights.adapters import learnt_tensors
from zoo.weights.assembly import assemble
from zoo.weights.description import FORMAT_VERSION, DataRecord, RecipeRecord, WeightsDescription
from zoo.weights.inputs import inputs_record

_WATCHED = (
    "scores on the way are of the test split and choose nothing: the last weights are exported; to choose the best by "
    "samples that are held out: --set validation=0.1"
)
_log = logging.getLogger("zoo")


def run_job(job: TrainingJob) -> RunResult:
    """Train, from the newest checkpoint when resuming, and leave a whole run folder.

    Under torchrun every process calls this, and takes its share.
    """
    with join(job.run.device, job.run.sharding) as distribution, torch.random.fork_rng():
        return _run(job, fresh_model(job), distribution)


def fresh_model(job: TrainingJob) -> nn.Module:
    """Return the model that training begins with, the same in every process."""
    torch.manual_seed(derive(job.settings.seed, "model"))
    return job.make_model()


def _run(job: TrainingJob, model: nn.Module, distribution: Distribution) -> RunResult:
    _check_folder(job.run, distribution.main)
    start = time.perf_counter()
    held_out = "validation" if job.settings.validation else "test"
    training = batches(job.dataset, "train", job.settings, distribution)
    evaluation = batches(job.dataset, held_out, job.settings, distribution)
    plan = Plan.of(job.settings, len(training))
    stepper = make_stepper(job, model, distribution, plan.total)
    check_recipe(job, stepper, next(evaluation.epoch(0)))
    job = dataclasses.replace(job, resolved={**job.resolved, "steps": plan.total})
    with _opened(job, distribution.main) as run:
        if not job.settings.validation and distribution.main:
            _log.info(_WATCHED)
        scores, drawn = _train_and_export(job, stepper, training, evaluation, run)
    return RunResult(run.folder, run.folder / "weights", scores, tuple(drawn), time.perf_counter() - start)


def _train_and_export(
    job: TrainingJob, stepper: Stepper, training: Batches, evaluation: Batches, run: Run
) -> tuple[dict[str, float], list[Path]]:
    """Train, and write what came of it; return scores on the test split, and pictures."""
    settings, spec, options, distribution = job.settings, job.recipe.spec, job.run, stepper.distribution
    run.write_recipe(settings_toml(spec.name, settings))
    held_out = "validation" if settings.validation else "test"
    scores = train(
        stepper,
        training,
        Evaluation(evaluation, held_out, spec.score, spec.higher_is_better),
        run=run,
        options=options,
        progress=Progress(
            enabled=options.progress and distribution.main,
            title=f"{job.offer.spec.name} · {spec.name}",
            unit=default_registry().modality(job.offer.spec.modality).spec.unit,
        ),
    )
    test = batches(job.dataset, "test", settings, distribution) if settings.validation else evaluation
    if settings.validation:  # those on the test split are of these very weights
        scores = evaluate(stepper, test)
    run.log({"event": "test", **scores})
    with stepper.exported(), _picture_folder(run) as folder:
        drawn = _drawn(stepper, test, run, folder)
        learnt = _learnt(stepper) if job.adapter else None
        exported = stepper.recipe.export()
        block = _block(job, exported)
        exported = _whole(job, exported, block, distribution)
        if distribution.main:
            export_run(run, exported, block, job.inputs, drawn, learnt=learnt, adapter=job.adapter)
        run.end(drawn)
    distribution.wait()
    return scores, drawn


def _drawn(stepper: Stepper, test: Batches, run: Run, folder: Path) -> list[Path]:
    """Draw what the run came to. A picture that fails is a warning."""
    drawn: list[Path] = []
    with guarded("drawing the curves", stepper.distribution):
        if run.main:
            drawn.append(loss_curve(run.metrics, run.pictures / "curves.png"))
    with guarded("drawing pictures", stepper.distribution):
        drawn += stepper.recipe.pictures(test.epoch(0), folder)
    return [path for path in drawn if path.is_file()]


def make_stepper(job: TrainingJob, model: nn.Module, distribution: Distribution, total_steps: int) -> Stepper:
    """Make the recipe on the model and everything that the loop needs of it."""
    share = distribution.world_size * job.settings.accumulate
    if job.settings.batch_size % share:
        raise UsageError(
            f"batch_size={job.settings.batch_size} cannot be split over {distribution.world_size} processes with "
            f"accumulate={job.settings.accumulate}; choose a multiple of {share}"
        )
    placed = place(model, job.settings, distribution)
    recipe = make_recipe(job.recipe, job.settings, placed, job.classes, job.inputs)
    prepare(recipe, job.settings, distribution)
    if not distribution.alone:
        torch.manual_seed(derive(job.settings.seed, "process", distribution.rank))
    return Stepper(recipe, job.settings, total_steps, distribution)


def batches(dataset: Dataset, split: str, settings: TrainingSettings, distribution: Distribution) -> Batches:
    """Return the batches of a split: for training shuffled and shared by the processes, else whole and in order."""
    part = dataset.splits[split]
    training = split == "train"
    found: Batches = part.batches(
        batch_size=settings.batch_size if training else part.evaluation_batch_size(settings.batch_size),
        seed=settings.seed,
        shuffle=training,
        drop_last=training,
        device=distribution.device,
        rank=distribution.rank if training else 0,
        world_size=distribution.world_size if training else 1,
        micro_batches=settings.accumulate if training else 1,
    )
    return found


def _check_folder(options: RunOptions, main: bool) -> None:
    """Raise what opening the run folder would, before anything is made ready."""
    if options.resume:
        Run.recorded(options.out)
    elif main:  # to the others a run that the first process has begun would not look free
        Run.check_free(options.out, force=options.force)


@contextmanager
def _opened(job: TrainingJob, main: bool) -> Iterator[Run]:
    """Open the run folder, which the first process holds for the length of the block.

    A new run that fails before its first step leaves none.
    """
    options = job.run
    _check_folder(options, main)
    trackers = make_trackers(options.track) if main else ()
    run: Run | None = None
    try:
        with Run.held(options.out) if main else nullcontext() as lease:
            if options.resume:
                run = Run.resume(options.out, job.resolved, override=options.override, main=main)
            else:
                run = Run.create(options.out, resolved=job.resolved, force=options.force, main=main)
            run.lease, run.trackers = lease, trackers
            try:
                yield run
            finally:
                run.end()
    except BaseException:
        if run is not None and main and not (options.resume or run.begun):
            shutil.rmtree(options.out, ignore_errors=True)
        raise


@contextmanager
def _picture_folder(run: Run) -> Iterator[Path]:
    """Give the run's folder to the first process; the others draw too, and what they draw is thrown away."""
    if run.main:
        yield run.pictures
        return
    with tempfile.TemporaryDirectory(prefix="zoo-pictures-") as temporary:
        yield Path(temporary)


def _learnt(stepper: Stepper) -> dict[str, Tensor]:
    """Return what a network with adapters has learnt, before they are merged."""
    (network,) = stepper.modules.values()
    tensors = learnt_tensors(network).items()
    return {name: stepper.distribution.full_tensor(tensor.detach()).to("cpu", copy=True) for name, tensor in tensors}


def _whole(job: TrainingJob, model: nn.Module, block: WeightsDescription, distribution: Distribution) -> nn.Module:
    """Return the model to export in one piece; where it lies in parts, every process helps to put it together."""
    if distribution.sharding != "fsdp":
        return model
    state = {name: distribution.full_tensor(tensor) for name, tensor in model.state_dict().items()}
    if not distribution.main:
        return model
    fresh = assemble(job.offer, block)
    fresh.load_state_dict(state)
    return fresh


def _block(job: TrainingJob, model: nn.Module) -> WeightsDescription:
    network = model if isinstance(model, Network) else None
    num_classes = getattr(network.backbone if network else model, "num_classes", None)
    arguments = {**job.arguments, **({"num_classes": num_classes} if "num_classes" in job.arguments else {})}
    dataset, settings, inputs = job.dataset, job.resolved["settings"], job.inputs
    return WeightsDescription(
        format_version=FORMAT_VERSION,
        plugin=job.offer.plugin.distribution,
        plugin_version=job.offer.plugin.version,
        architecture=job.offer.spec.name,
        arguments=arguments,
        head=network.arguments if network else None,
        task=job.task,
        labels=job.classes if network or num_classes == len(job.classes) else (),
        inputs=inputs_record(inputs),
        recipe=RecipeRecord(name=job.recipe.spec.name, settings=settings),
        data=DataRecord(name=dataset.name, fingerprint=dataset.fingerprint, license=dataset.license),
    )
