"""The one loop, written out: order, step, log, evaluate, save."""

import itertools
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from zoo.engine.checkpoint import BEST, STEP, CheckpointWriter, newest_checkpoint, read_checkpoint, remove_leftovers
from zoo.engine.distribution import Distribution
from zoo.engine.interruption import Interrupted, interruptible
from zoo.engine.options import RunOptions
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

    def better(self, new: float, old: float | None) -> bool:
        """Tell whether a score is the best so far."""
        return old is None or (new > old if self.higher_is_better else new < old)


def train(
    stepper: Stepper, batches: Batches, evaluation: Evaluation, *, run: Run, options: RunOptions, progress: Progress
) -> dict[str, float] | None:
    """Train to the end, from the newest checkpoint when resuming; return the last scores, None where none were taken.

    Where "validation" is scored the best weights are restored at the end; otherwise nothing is chosen. Raise
    TrainingError when the loss is not finite, after which nothing was saved, and Interrupted after the first Ctrl-C or
    SIGTERM, when a checkpoint was saved.
    """
    plan, distribution = Plan.of(stepper.settings, len(batches)), stepper.distribution
    state = _resumed(stepper, run) if options.resume else State()
    scores: dict[str, float] | None = None
    split, score = evaluation.split, evaluation.score
    run.begin(state.step)
    progress.start(state.step, plan.total, max(1, batches.num_samples // len(batches)))
    watchdog = Watchdog(distribution, options.stall_seconds)

    with _writing(run, distribution, options.keep) as save, interruptible() as interruption, watchdog.watching():
        while state.step < plan.total:
            epoch, position = divmod(state.step, plan.an_epoch)
            shown = f"{epoch + 1}/{plan.epochs}"
            for batch in itertools.islice(batches.epoch(epoch, position), plan.total - state.step):
                # ------------------------------------------------------------------ one step
                watchdog.beat(state.step)
                stepper.step(batch, state.step, epoch)
                state.step += 1
                asked = distribution.alone or state.step % _ATTENTION_STEPS == 0 or plan.logs(state.step)
                leaving = asked and distribution.any(interruption.signum is not None)
                # ------------------------------------------------------------------ log
                if plan.logs(state.step) or leaving:
                    figures = stepper.figures(state.step)
                    run.log({"event": "train", "step": state.step, "epoch": epoch, **figures})
                    progress.update(state.step, shown, figures["loss"])
                # ------------------------------------------------------------------ evaluate
                if plan.ends_round(state.step) and not leaving:
                    with watchdog.paused():
                        scores = evaluate(stepper, evaluation.batches)
                    run.log({"event": split, "step": state.step, "epoch": epoch, **scores})
                    progress.epoch(state.step, shown, figures["loss"], scores)
                    if split == "validation" and evaluation.better(scores[score], state.best):
                        state.best, state.best_step = scores[score], state.step
                        save(take(stepper, vars(state), run.identity), BEST)
                # ------------------------------------------------------------------ save, and leave
                if plan.saves(state.step) or leaving:
                    save(take(stepper, vars(state), run.identity))
                if leaving:
                    progress.close()
                    raise Interrupted(interruption.signum or signal.SIGTERM)
    progress.close()
    if split == "validation" and state.best_step != state.step:
        _take_best(stepper, run)
    return scores


def evaluate(stepper: Stepper, batches: Batches) -> dict[str, float]:
    """Return the scores of the weights that would be exported, the same on every process.

    Every process goes over all of the data: the scores are those of one process, and under FSDP2 all have to take part.
    """
    stepper.distribution.average_buffers(stepper.modules)
    with stepper.exported():
        return stepper.distribution.agreed(stepper.recipe.evaluate(batches.epoch(0)))


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
def _writing(run: Run, distribution: Distribution, keep: int) -> Iterator[Callable[..., None]]:
    """Give a function that saves a snapshot; at the end of the block everything is on disk, on every process."""
    writer = CheckpointWriter(run.checkpoints, keep=keep, written=run.note_checkpoint) if distribution.main else None
    try:
        yield writer.save if writer else _save_nothing
    except Interrupted:
        if writer:
            writer.wait()
        distribution.wait()
        raise
    else:
        if writer:
            writer.wait()
        distribution.wait()
    finally:
        if writer:
            writer.close()


def _save_nothing(snapshot: Snapshot, kind: str = STEP) -> None:
    """Leave it to the first process, which has the whole of it."""
