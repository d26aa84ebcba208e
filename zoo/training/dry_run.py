"""Rehearse a job before it costs anything: everything is settled, a few steps are timed, nothing is written."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from zoo.engine.average import named_state
from zoo.engine.distribution import join
from zoo.engine.loop import Plan
from zoo.engine.recipe import Batch
from zoo.engine.run import Run
from zoo.engine.stepper import Stepper
from zoo.engine.tracking import make_trackers
from zoo.errors import UsageError
from zoo.specs.modality_offers import CountsClasses
from zoo.training.job import TrainingJob
from zoo.training.memory import peak_memory
from zoo.training.pace import measure_pace, samples_in, seconds_a_step, seconds_to_evaluate
from zoo.training.preflight import check_recipe
from zoo.training.run import batches, fresh_model, make_stepper


@dataclass(frozen=True)
class DryRun:
    """What a job will take, as three steps and one batch of evaluation foretell. Bytes, seconds, and counts.

    `classes` are the shares of the training split, where the data set counts them.
    """

    model: str
    recipe: str
    data: str
    device: str
    processes: int
    train_samples: int
    test_samples: int
    classes: Mapping[str, float]
    batch_shape: tuple[int, ...]
    parameters: int
    trained_parameters: int
    steps: int
    batch_size: int
    learning_rate: float
    flops_per_sample: float
    samples_per_second: float
    seconds: float
    evaluation_seconds: float
    memory: int
    disk_needed: int
    disk_free: int

    @property
    def hours(self) -> float:
        """Training and evaluation together."""
        return (self.seconds + self.evaluation_seconds) / 3600

    @property
    def flops(self) -> float:
        """Floating-point operations of all training steps."""
        return self.flops_per_sample * self.batch_size * self.steps


def dry_run_job(job: TrainingJob) -> DryRun:
    """Take a few steps of a job and tell what all of it will take.

    Raise UsageError when the run folder exists already and would be refused, or when the disk is too small.
    """
    options = job.run
    if not options.resume:
        Run.check_free(options.out, force=options.force)
    make_trackers(options.track)
    with join(options.device, options.sharding) as distribution, torch.random.fork_rng():
        dataset, settings = job.dataset, job.settings
        training = batches(dataset, "train", settings, distribution)
        evaluation = batches(dataset, "test", settings, distribution)
        plan = Plan.of(settings, len(training))
        stepper = make_stepper(job, fresh_model(job), distribution, plan.total)
        batch = next(training.epoch(0))
        pace = measure_pace(stepper, batch)
        check_recipe(job, stepper, pace.of(next(evaluation.epoch(0))))
        flops = _first_step(stepper, pace.of(batch))
        seconds = seconds_a_step(stepper, training, pace)
        scoring = seconds_to_evaluate(stepper, evaluation, pace)
        rounds = -(-plan.total // plan.a_round) + 1
        state = named_state(stepper.modules)
        size = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
        optimizer = sum(
            value.numel() * value.element_size()
            for item in stepper.optimizers.values()
            for entry in item.state.values()
            for value in entry.values()
            if isinstance(value, torch.Tensor)
        )
        needed = (options.keep + 2) * (size * (2 if settings.ema else 1) + optimizer) + size
        free = shutil.disk_usage(_existing(options.out)).free
        if needed > free:
            raise UsageError(
                f"{options.out} needs {needed / 1e9:.1f} GB and its disk has {free / 1e9:.1f} GB; free some"
            )
        trained = {
            id(parameter): parameter.numel()
            for item in stepper.optimizers.values()
            for group in item.param_groups
            for parameter in group["params"]
        }
        return DryRun(
            model=job.offer.spec.name,
            recipe=job.recipe.spec.name,
            data=dataset.name,
            device=str(distribution.device),
            processes=distribution.world_size,
            train_samples=len(dataset.splits["train"]),
            test_samples=len(dataset.splits["test"]),
            classes=dataset.class_shares() if isinstance(dataset, CountsClasses) else {},
            batch_shape=tuple(next(iter(batch.values())).shape),
            parameters=sum(item.numel() for item in state.values() if isinstance(item, torch.nn.Parameter)),
            trained_parameters=sum(trained.values()),
            steps=plan.total,
            batch_size=training.batch_size,
            learning_rate=settings.learning_rate,
            flops_per_sample=flops,
            samples_per_second=training.batch_size / seconds,
            seconds=seconds * plan.total,
            evaluation_seconds=scoring * rounds,
            memory=peak_memory(distribution.device) + pace.left_out * pace.bytes_per_sample // settings.accumulate,
            disk_needed=needed,
            disk_free=free,
        )


def _first_step(stepper: Stepper, batch: Batch) -> float:
    """Take a step that warms everything up; return its floating-point operations a sample."""
    with _Operations() as counter:
        stepper.step(batch, 0)
    return float(counter.total) / samples_in(batch)


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own lacks annotations
    """Count floating-point operations by torch's own table.

    torch's `FlopCounterMode` also says in which module they were, by hooks that a gradient of a gradient breaks.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if (count := flop_registry.get(func._overloadpacket)) is not None:
            self.total += count(*args, **kwargs, out_val=out)
        return out


def _existing(path: Path) -> Path:
    """Return the path itself, or the nearest folder above that exists."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
