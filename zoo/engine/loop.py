"""The one loop, written out: order, step, log, evaluate, save."""

import itertools
import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from zoo.draws import Draws
from zoo.engine.checkpoint import load_checkpoint, load_latest, save_checkpoint
from zoo.engine.progress import Progress
from zoo.engine.recipe import Batch, Batches, Recipe
from zoo.engine.run import Run
from zoo.engine.schedule import rate
from zoo.errors import TrainingError
from zoo.settings import TrainingSettings

_LOGS_AN_EPOCH = 20
_ROUNDS = 20


@dataclass
class State:
    """Where the loop stands; what a checkpoint keeps of it by name."""

    step: int = 0
    best: float | None = None
    best_step: int = 0


def train(
    recipe: Recipe,
    batches: Batches,
    evaluation: Batches,
    *,
    settings: TrainingSettings,
    run: Run,
    device: torch.device,
    progress: Progress,
    resume: bool,
    score: str,
    higher_is_better: bool,
    split: str,
) -> State:
    """Train to the end, from the newest checkpoint when resuming.

    `split` says what `evaluation` is. Where it is "validation", the best weights by `score` are restored at the end;
    otherwise nothing is chosen. Raise TrainingError when the loss is not finite, after which nothing was saved, and
    KeyboardInterrupt after the first Ctrl-C, when a checkpoint was saved.
    """
    state = State()
    if resume and (stored := load_latest(run.checkpoints, recipe)):
        state = State(**stored)
        run.rewind(state.step)
    steps_an_epoch = len(batches)
    total_steps = settings.steps or max(settings.epochs * steps_an_epoch, settings.minimum_steps)
    epochs = math.ceil(total_steps / steps_an_epoch)
    round_steps = (
        max(1, epochs // _ROUNDS) * steps_an_epoch
    )  # whole epochs, so that little data is not measured all day
    samples = max(1, batches.num_samples // steps_an_epoch)
    progress.start(state.step, total_steps, samples)
    stepper = Stepper(recipe, settings, total_steps)
    log_every = max(1, round_steps // _LOGS_AN_EPOCH)

    with _interruptible() as interrupted:
        while state.step < total_steps:
            epoch, position = divmod(state.step, steps_an_epoch)
            shown = f"{epoch + 1}/{epochs}"
            end = min(total_steps, (epoch + 1) * steps_an_epoch)
            end_of_round = (state.step // round_steps + 1) * round_steps
            for batch in itertools.islice(batches.epoch(epoch, position), end - state.step):
                # ------------------------------------------------------------------ one step
                stepper.step(batch, state.step, epoch)
                state.step += 1
                # ------------------------------------------------------------------ log
                if state.step % log_every == 0 or state.step in (total_steps, end_of_round) or interrupted:
                    figures = stepper.figures(state.step)
                    run.log({"event": "train", "step": state.step, "epoch": epoch, **figures})
                    progress.update(state.step, shown, figures["loss"])
                if interrupted:
                    break
            # ---------------------------------------------------------------------- save and leave
            if state.step % round_steps and state.step < total_steps and not interrupted:
                continue
            if interrupted:
                save_checkpoint(run.checkpoints, recipe, vars(state))
                progress.close()
                raise KeyboardInterrupt
            # ---------------------------------------------------------------------- evaluate
            scores = recipe.evaluate(evaluation.epoch(0))
            run.log({"event": split, "step": state.step, "epoch": epoch, **scores})
            progress.epoch(state.step, shown, figures["loss"], scores)
            # ---------------------------------------------------------------------- save
            if split == "validation" and _better(scores[score], state.best, higher_is_better):
                state.best, state.best_step = scores[score], state.step
                save_checkpoint(run.checkpoints, recipe, vars(state), name="best")
            save_checkpoint(run.checkpoints, recipe, vars(state))
    progress.close()
    if split == "validation" and state.best_step != state.step:
        load_checkpoint(run.checkpoints / "best", recipe)
    return state


class Stepper:
    """One optimizer step after the other, as the recipe yields its losses; nothing waits for the device."""

    def __init__(self, recipe: Recipe, settings: TrainingSettings, total_steps: int) -> None:
        self.recipe = recipe
        self.settings = settings
        self.total_steps = total_steps
        self.optimizers = recipe.optimizers()
        self.peaks = {
            name: [group.setdefault("peak", group["lr"]) for group in item.param_groups]
            for name, item in self.optimizers.items()
        }
        self.sums: dict[str, Tensor] = {}
        self.count = 0
        self.factor: float | None = None

    def step(self, batch: Batch, step: int, epoch: int = 0) -> None:
        """Take one step."""
        self._set_rates(step)
        for loss in self.recipe.step(batch, Draws(self.settings.seed, epoch, batch["index"])):
            optimizer = self.optimizers[loss.optimizer]
            optimizer.zero_grad(set_to_none=True)
            loss.value.backward()  # type: ignore[no-untyped-call]  # torch's annotation lacks a return type
            if self.settings.clip:
                parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
                torch.nn.utils.clip_grad_norm_(parameters, self.settings.clip)
            optimizer.step()
            name = "loss" if len(self.optimizers) == 1 else f"loss/{loss.optimizer}"
            self._add(name, loss.value)
            for key, value in loss.figures.items():
                self._add(key, value)
        self.count += 1

    def figures(self, step: int) -> dict[str, float]:
        """Return the means since the last call. Raise TrainingError where one is not finite."""
        means = {name: float(total) / self.count for name, total in self.sums.items()}
        first = step - self.count + 1
        self.sums, self.count = {}, 0
        for name, value in means.items():
            if not math.isfinite(value):
                rate_shown = f"learning_rate={self.settings.learning_rate}"
                raise TrainingError(
                    f"{name} is {value} between steps {first} and {step} ({rate_shown}); lower the rate, or "
                    "set clip=1: nothing was saved of it"
                )
        if "loss" not in means:
            means["loss"] = sum(value for name, value in means.items() if name.startswith("loss/"))
        means["rate"] = self.factor or 0.0
        return means

    def _add(self, name: str, value: Tensor) -> None:
        value = value.detach()
        # A sum must not alias the loss, which the recipe may keep
        self.sums[name] = self.sums[name].add_(value) if name in self.sums else value.clone()

    def _set_rates(self, step: int) -> None:
        factor = rate(step, self.total_steps, self.settings)
        if factor != self.factor:
            self.factor = factor
            for name, optimizer in self.optimizers.items():
                for group, peak in zip(optimizer.param_groups, self.peaks[name], strict=True):
                    group["lr"] = peak * factor


def _better(new: float, old: float | None, higher: bool) -> bool:
    return old is None or (new > old if higher else new < old)


@contextmanager
def _interruptible() -> Iterator[list[Any]]:
    """Note the first Ctrl-C in a list that is empty until then, so that the step can end; a second leaves at once."""
    interrupted: list[Any] = []
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def note(signum: int, frame: FrameType | None) -> None:
        if interrupted:
            raise KeyboardInterrupt
        interrupted.append(signum)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
