"""A stop-watch that each trainer ticks at the end of a step, and by which trainers take turns.

Each trainer runs in a thread of its own and stands still in `tick` between its turns, so that all are measured under
the same conditions within a second or so, and each sets itself up only once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Semaphore, Thread

import torch
from jobs import Job
from torch import nn

LOG_EVERY = 50
"""Steps between two log lines, with every trainer: the default of Lightning and of timm."""


@dataclass(frozen=True)
class Turn:
    """What a step took on average in one turn."""

    seconds: float
    cpu_seconds: float


class Clock:
    """Measure turns of `steps` steps, each after `warmup` others."""

    def __init__(self, warmup: int, steps: int, turns: int) -> None:
        self.warmup = warmup
        self.steps = steps
        self.total = (warmup + steps) * turns
        self.done = 0
        self.turns: list[Turn] = []
        self._start = (0.0, 0.0)
        self._go = Semaphore(0)
        self._stopped = Semaphore(0)

    def run_turn(self) -> None:
        """Let the trainer's thread run until its turn ends."""
        self._go.release()
        self._stopped.acquire()

    def wait(self) -> None:
        """Stand still until the first turn; called by the trainer's thread."""
        self._go.acquire()

    def finish(self) -> None:
        """End the last turn, when the trainer has cleared up."""
        self._stopped.release()

    def tick(self) -> bool:
        """Count a step that has ended, stand still where the turn has, and tell whether it was the last of all."""
        self.done += 1
        place = self.done % (self.warmup + self.steps)
        if place == 0:
            seconds, cpu_seconds = time.perf_counter() - self._start[0], time.process_time() - self._start[1]
            self.turns.append(Turn(seconds / self.steps, cpu_seconds / self.steps))
            if self.done < self.total:
                self._stopped.release()
                self._go.acquire()
        if place == self.warmup:
            self._start = (time.perf_counter(), time.process_time())
        return self.done >= self.total


Trainer = Callable[[Job, Clock], nn.Module]


def take_turns(job: Job, trainers: dict[str, Trainer], threads: int) -> tuple[dict[str, Clock], dict[str, nn.Module]]:
    """Let the trainers take turns, in an order that turns itself; return their clocks and what they trained."""
    clocks = {name: Clock(job.warmup, job.steps, job.turns) for name in trainers}
    models: dict[str, nn.Module] = {}
    errors: list[BaseException] = []

    def run(name: str) -> None:
        clocks[name].wait()
        torch.set_num_threads(threads)  # which torch keeps for each thread
        torch.manual_seed(0)
        try:
            models[name] = trainers[name](job, clocks[name])
        except BaseException as error:
            errors.append(error)
        clocks[name].finish()

    for name in trainers:
        Thread(target=run, args=(name,), daemon=True).start()
    names = list(trainers)
    for number in range(job.turns):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            clocks[name].run_turn()
            if errors:
                raise errors[0]
    return clocks, models
