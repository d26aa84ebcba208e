"""Find how many steps fit into a time: a few are timed, and their number is a setting like any other from then on."""

import dataclasses
import logging
import re

import torch

from zoo.engine.distribution import Distribution, join
from zoo.engine.loop import Plan
from zoo.engine.run import Run
from zoo.errors import UsageError
from zoo.training.job import TrainingJob
from zoo.training.pace import measure_pace, seconds_a_step, seconds_to_evaluate
from zoo.training.run import batches, fresh_model, make_stepper

_TIME = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_ROUNDS = 8
_log = logging.getLogger("zoo")


def is_time(steps: object) -> bool:
    """Tell whether steps are asked for as a time, such as 10m."""
    return isinstance(steps, str) and steps[-1:] in _SECONDS


def fit_steps(job: TrainingJob, asked: str) -> TrainingJob:
    """Return the job with as many steps as a time allows, scores included, as a few steps foretell.

    A run that is resumed keeps the number that it has. Raise UsageError for what is no time, and for one that is too
    short.
    """
    if (found := _TIME.fullmatch(asked)) is None:
        raise UsageError(f"{asked!r} is not a time to train for; write it as 90s, 10m or 1.5h")
    if job.run.resume:
        return job.with_steps(Run.recorded(job.run.out)["settings"]["steps"])
    seconds = float(found[1]) * _SECONDS[found[2]]
    with join(job.run.device, job.run.sharding) as distribution, torch.random.fork_rng():
        an_epoch, step, scoring = _measured(job, distribution)
    steps = 1
    for _ in range(_ROUNDS):
        plan = Plan.of(dataclasses.replace(job.settings, steps=max(1, steps)), an_epoch)
        steps = int((seconds - scoring * (-(-plan.total // plan.a_round) + 1)) / step)
    if steps < 1:
        raise UsageError(
            f"{asked} is too short for one step and its scores, which take {step + 2 * scoring:.1f} s here; give more "
            "time, or the number of steps: --set steps=N"
        )
    _log.info("steps=%d fit into %s: %.3g s a step, %.3g s for scores each time", steps, asked, step, scoring)
    return job.with_steps(steps)


def _measured(job: TrainingJob, distribution: Distribution) -> tuple[int, float, float]:
    """Return the steps of an epoch, the seconds of a step, and those of all scores: the first process's everywhere."""
    training = batches(job.dataset, "train", job.settings, distribution)
    held_out = "validation" if job.settings.validation else "test"
    evaluation = batches(job.dataset, held_out, job.settings, distribution)
    stepper = make_stepper(job, fresh_model(job), distribution, 1000)
    pace = measure_pace(stepper, next(training.epoch(0)))
    step, scoring = seconds_a_step(stepper, training, pace), seconds_to_evaluate(stepper, evaluation, pace)
    agreed = distribution.agreed({"step": step, "scoring": scoring})
    return len(training), agreed["step"], agreed["scoring"]
