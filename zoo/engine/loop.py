"""The one loop, written out: order, step, log, evaluate, save."""

import itertools
import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from zoo.engine.checkpoint import BEST, STEP, CheckpointWriter, newest_checkpoint, read_checkpoint, remove_leftovers
from zoo.engine.distribution import Distribution
from zoo.engine.guard import guarded
from zoo.engine.interruption import Interrupted, interruptible
from zoo.engine.options import RunOptions
from zoo.engine.parting import Parting
from zoo.engine.progress import Progress
from zoo.engine.recipe import Batches
from zoo.engine.run import Run
from zoo.engine.snapshot import Snapshot, restore, take
from zoo.engine.stepper import Stepper
from zoo.engine.watchdog import Watchdog
from zoo.errors import IntegrityError
from zoo.specs.settings import TrainingSettings

_LOGS_A_ROUND = 20
_ATTENTION_STEPS = 50
"""At the latest after so many steps the processes ask each other whether one was told to stop."""


@dataclass
class State:
    """Where the loop stands; what a checkpoint keeps of it by name."""

    step: int = 0
    best: float | None = None
    best_step: int = 0


@dataclass(frozen=True)
class Plan:
    """When what happens, in steps; a function of settings and data alone, so that a resumed run keeps to it."""

    total: int
    an_epoch: int
    epochs: int
    a_round: int
    log: int
    save: int

    @classmethod
    def of(cls, settings: TrainingSettings, steps_an_epoch: int) -> "Plan":
        """Return the plan of a run: rounds are whole epochs, so that little data is not measured all day."""
        total = settings.steps or max(settings.epochs * steps_an_epoch, settings.minimum_steps)
        epochs = math.ceil(total / steps_an_epoch)
        a_round = max(1, epochs // settings.evaluations) * steps_an_epoch
        save = settings.save_steps or a_round
        return cls(total, steps_an_epoch, epochs, a_round, max(1, a_round // _LOGS_A_ROUND), save)

    def ends_round(self, step: int) -> bool:
        """Tell whether scores are taken after this step."""
        return step % self.a_round == 0 or step == self.total

    def saves(self, step: int) -> bool:
        """Tell whether a checkpoint is written after this step."""
        return step % self.save == 0 or self.ends_round(step)

    def logs(self, step: int) -> bool:
        """Tell whether figures are taken after this step."""
        return step % self.log == 0 or self.saves(step)


@dataclass(frozen=True)
class Evaluation:
    """What is scored after every round, on which split, and which score says what is better."""

    batches: Batches
    split: str
    score: str
    higher_is_better: bool

    def better(self, new: float | None, old: float | None) -> bool:
        """Tell whether a score is the best so far; one that is missing, or no number, never is."""
        if new is None or math.isnan(new):
            return False
        return old is None or (new > old if self.higher_is_better else new < old)


def train(
    stepper: Stepper, batches: Batches, evaluation: Evaluation, *, run: Run, options: RunOptions, progress: Progress
) -> dict[str, float]:
    """Train to the end, from the newest checkpoint when resuming; return the last scores.

    Where "validation" is scored the best weights are restored at the end; otherwise nothing is chosen. A checkpoint is
    written before scores are taken, which a run that goes on from there takes again.

    Raise TrainingError when the loss is not finite, after which nothing was saved, and Interrupted after the first
    Ctrl-C or SIGTERM, when a checkpoint was saved.
    """
    plan, distribution = Plan.of(stepper.settings, len(batches)), stepper.distribution
    state = _resumed(stepper, run) if options.resume else State()
    scores: dict[str, float] = {}
    run.begin(state.step)
    progress.start(state.step, plan.total, max(1, batches.num_samples // len(batches)))
    watchdog, parting = Watchdog(distribution, options.stall_seconds), Parting()

    with _writing(run, distribution, options.keep) as writer, interruptible() as interruption, watchdog.watching():
        score = partial(_score, stepper, evaluation, run, state, plan, writer, watchdog)
        if state.step and plan.ends_round(state.step):
            scores = score()  # what was interrupted may not have come to it
        while state.step < plan.total:
            epoch, position = divmod(state.step, plan.an_epoch)
            shown = f"{epoch + 1}/{plan.epochs}"
            for batch in itertools.islice(batches.epoch(epoch, position), plan.total - state.step):
                # ------------------------------------------------------------------ one step
                watchdog.step_started(state.step)
                stepper.step(batch, state.step, epoch)
                state.step += 1
                requested = distribution.alone or state.step % _ATTENTION_STEPS == 0 or plan.logs(state.step)
                leaving = requested and distribution.any(interruption.signum is not None)
                # ------------------------------------------------------------------ log
                if plan.logs(state.step) or leaving:
                    metrics = stepper.metrics(state.step)
                    run.log({"event": "train", "step": state.step, "epoch": epoch, **metrics})
                    progress.update(state.step, shown, metrics["loss"])
                # ------------------------------------------------------------------ save, and leave
                if plan.saves(state.step) or leaving:
                    stepper.average_buffers()
                    writer.save(take(stepper, vars(state), run.identity))
                if leaving:
                    progress.close()
                    raise Interrupted(interruption.signum or signal.SIGTERM)
                # ------------------------------------------------------------------ evaluate
                if plan.ends_round(state.step):
                    if state.step == plan.total:
                        writer.wait()  # whatever the last scores and pictures come to, what was learnt is on disk
                    scores = score()
                    if distribution.main:
                        parting.look(metrics["loss"], scores, evaluation.split)
                    progress.epoch(state.step, shown, metrics["loss"], evaluation.split, scores)
    progress.close()
    if evaluation.split == "validation" and 0 < state.best_step != state.step:
        _take_best(stepper, run)
    return scores


def _score(
    stepper: Stepper,
    evaluation: Evaluation,
    run: Run,
    state: State,
    plan: Plan,
    writer: "CheckpointWriter | _Bystander",
    watchdog: Watchdog,
) -> dict[str, float]:
    """Score what the checkpoint of this step holds, and keep the best."""
    with watchdog.paused():
        scores = evaluate(stepper, evaluation.batches)
    run.log({"event": evaluation.split, "step": state.step, "epoch": (state.step - 1) // plan.an_epoch, **scores})
    if evaluation.split == "validation" and evaluation.better(scores.get(evaluation.score), state.best):
        state.best, state.best_step = scores[evaluation.score], state.step
        writer.save(take(stepper, vars(state), run.identity), BEST)
    return scores


def evaluate(stepper: Stepper, batches: Batches) -> dict[str, float]:
    """Return the scores of the weights that would be exported, the same on every process.

    Every process goes over all of the data: the scores are those of one process, and under FSDP2 all have to take part.
    Where the recipe fails at it there are none, and a warning.
    """
    scores: dict[str, float] = {}
    with stepper.exported(), guarded("scoring", stepper.distribution) as guard:
        scores = stepper.recipe.evaluate(batches.epoch(0))
    return {} if guard.failed else stepper.distribution.agreed(scores)


def _resumed(stepper: Stepper, run: Run) -> State:
    """Go on from the newest checkpoint; without any, from the beginning."""
    if stepper.distribution.main:
        remove_leftovers(run.checkpoints)
    if (path := newest_checkpoint(run.checkpoints)) is None:
        return State()
    snapshot = read_checkpoint(path)
    run.check_identity(snapshot.values.get("identity"), str(path))
    state = State(**restore(snapshot, stepper, str(path)))
    run.rewind(state.step)
    return state


def _take_best(stepper: Stepper, run: Run) -> None:
    stepper.distribution.wait()
    if (path := newest_checkpoint(run.checkpoints, BEST)) is None:
        raise IntegrityError(f"{run.checkpoints} lost its best checkpoint; train again with --force")
    restore(read_checkpoint(path), stepper, str(path))


@contextmanager
def _writing(run: Run, distribution: Distribution, keep: int) -> Iterator["CheckpointWriter | _Bystander"]:
    """Give what saves snapshots; at the end of the block everything is on disk, on every process."""
    if not distribution.main:
        writer: CheckpointWriter | _Bystander = _Bystander()
    else:
        writer = CheckpointWriter(run.checkpoints, keep=keep, written=run.note_checkpoint)
    try:
        yield writer
    except Interrupted:
        writer.wait()
        distribution.wait()
        raise
    else:
        writer.wait()
        distribution.wait()
    finally:
        writer.close()


class _Bystander:
    """Leaves it to the first process, which has the whole of every snapshot."""

    def save(self, snapshot: Snapshot, kind: str = STEP) -> None:
        """Write nothing."""

    def wait(self) -> None:
        """Have nothing to wait for."""

    def close(self) -> None:
        """Have nothing to end."""
