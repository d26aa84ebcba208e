"""Plan how long to finetune, and how the head and the rest of it learn, by what that comes to on held-out parts.

The plan is made before training begins, and is recorded as settings: a run ends where it was planned to, whatever its
scores on the way.
"""

import dataclasses
import itertools
import logging
import math
import os
import statistics
from collections.abc import Collection
from typing import Any, NamedTuple, cast

import torch

from zoo.engine.distribution import Distribution, join
from zoo.engine.loop import Plan, evaluate
from zoo.engine.run import Run
from zoo.errors import UsageError
from zoo.seeds import derive
from zoo.specs.modality import Dataset
from zoo.specs.settings import FinetuneSettings
from zoo.training.job import TrainingJob
from zoo.training.run import batches, fresh_model, make_stepper

_FEW = 500
"""Of fewer samples the parts that are held out are as large as all folds are many; of more they are tenths."""
_LENGTHS = (1.0, 0.5, 0.25)
_OTHERS: tuple[dict[str, Any], ...] = ({"head_first": 0.3}, {"backbone_rate": 1.0, "layer_decay": 1.0})
_log = logging.getLogger("zoo")


class _Way(NamedTuple):
    """A number of steps, the share of them over which the head learns alone, and how fast what is pretrained learns."""

    steps: int
    head_first: float
    backbone_rate: float
    layer_decay: float

    def __str__(self) -> str:
        return " ".join(f"{name}={value:g}" for name, value in self._asdict().items())


_PLANNED = _Way._fields


def plan_by_folds(job: TrainingJob, given: Collection[str]) -> TrainingJob:
    """Return the job with the number of steps that its folds speak for, and what else is not `given`.

    The rule's steps, a half and a quarter of them are compared, then the head first, then what is pretrained at the
    full rate. What the rule says stays unless another way is better by more than one standard error over the folds. A
    run that is resumed keeps its plan.
    """
    settings = cast(FinetuneSettings, job.settings)
    if job.run.resume:
        recorded = Run.recorded(job.run.out)["settings"]
        return job.with_settings(
            dataclasses.replace(settings, **{name: recorded[name] for name in _PLANNED if name in recorded})
        )
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            f"folds={settings.folds} are trained by one process; plan with one, then say what it found: "
            "--set steps=N --set head_first=N"
        )
    folds = _folds(job, settings.folds)
    with join(job.run.device, job.run.sharding) as distribution, torch.random.fork_rng():
        total = Plan.of(settings, len(batches(job.dataset, "train", settings, distribution))).total
        rule = _Way(total, settings.head_first, settings.backbone_rate, settings.layer_decay)
        compared = _Compared(job, folds, distribution)
        best = compared.best([rule, *(rule._replace(steps=max(1, round(total * part))) for part in _LENGTHS[1:])])
        for others in _OTHERS if settings.method in ("full", "gradual") else ():
            if not others.keys() & set(given):
                best = compared.best([best, best._replace(**others)])
    name, scores = job.recipe.spec.score, {way: statistics.mean(found) for way, found in compared.scores.items()}
    reason = f"{name} {scores[best]:.4g} on {len(folds)} held-out parts, {scores[rule]:.4g} by the rule ({rule})"
    _log.info("%s, planned by folds: %s", best, reason)
    planned = dataclasses.replace(settings, **best._asdict())
    return job.with_settings(planned, dict.fromkeys(_PLANNED, reason))


class _Compared:
    """What ways of training come to on the same folds, each tried once."""

    def __init__(self, job: TrainingJob, folds: list[Dataset], distribution: Distribution) -> None:
        self.job, self.folds, self.distribution = job, folds, distribution
        self.scores: dict[_Way, list[float]] = {}

    def best(self, ways: list[_Way]) -> _Way:
        """Return the best way by its mean; the first unless that is further above it than chance would have it."""
        for way in ways:
            if way not in self.scores:
                self.scores[way] = [self._score(way, fold) for fold in self.folds]
        best = max(ways, key=lambda way: statistics.mean(self.scores[way]) * self._sign)
        pairs = zip(self.scores[best], self.scores[ways[0]], strict=True)
        differences = [(mine - first) * self._sign for mine, first in pairs]
        error = statistics.stdev(differences) / math.sqrt(len(differences))
        return best if statistics.mean(differences) > error else ways[0]

    @property
    def _sign(self) -> int:
        return 1 if self.job.recipe.spec.higher_is_better else -1

    def _score(self, way: _Way, fold: Dataset) -> float:
        """Train on the rest of a fold, as training itself does, and return the score on what is held out."""
        settings = dataclasses.replace(cast(FinetuneSettings, self.job.settings), **way._asdict())
        job = dataclasses.replace(self.job, dataset=fold, settings=settings)
        training = batches(fold, "train", settings, self.distribution)
        stepper = make_stepper(job, fresh_model(job), self.distribution, way.steps)
        step = 0
        for epoch in itertools.count():
            for batch in itertools.islice(training.epoch(epoch), way.steps - step):
                stepper.step(batch, step, epoch)
                step += 1
            if step == way.steps:
                break
        scores = evaluate(stepper, batches(fold, "validation", settings, self.distribution))
        name = job.recipe.spec.score
        if math.isnan(score := scores.get(name, math.nan)):
            raise UsageError(f"folds={settings.folds}: {way} comes to no {name} on what is held out; omit folds")
        return score


def _folds(job: TrainingJob, count: int) -> list[Dataset]:
    """Return the data with parts of the training split held out as `validation`, each drawn by itself."""
    train = len(job.dataset.splits["train"])
    share = 1 / count if train < _FEW else 0.1
    found: Any = job.dataset
    try:
        return [found.hold_out(share, derive(job.settings.seed, "fold", number)) for number in range(count)]
    except UsageError as error:
        raise UsageError(f"folds={count}: of {train:,} training samples no part can be held out: {error}") from None
