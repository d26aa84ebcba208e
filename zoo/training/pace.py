"""How many samples a rehearsal can take its steps of: a few of a batch foretell what all of it costs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from zoo.engine.average import named_state
from zoo.engine.recipe import Batch, Batches
from zoo.engine.stepper import Stepper

_LOOKED_AT_FROM = 4_000_000
"""Numbers in a batch; a step of fewer costs nothing that would have to be bounded."""
_FEW = 2
_STEPS = 6
_TIMED_STEPS = 3
_SECONDS = 12.0
_BYTES = 1024**3


@dataclass(frozen=True)
class Pace:
    """Steps are taken of `samples` out of a `whole` batch, each of which adds so many bytes to what a step keeps."""

    samples: int
    whole: int
    bytes_per_sample: int = 0

    @property
    def left_out(self) -> int:
        """The samples of a batch that are not taken."""
        return self.whole - self.samples

    def of(self, batch: Batch) -> Batch:
        """Return the samples of a batch that are taken."""
        return {name: values[: self.samples] for name, values in batch.items()} if self.left_out else batch


def measure_pace(stepper: Stepper, batch: Batch) -> Pace:
    """Take two steps of a few samples of a large batch, and return how many keep a rehearsal short and small."""
    whole, micro_batches = samples_in(batch), stepper.settings.accumulate
    few = Pace(min(whole, _FEW * micro_batches), whole)
    if next(iter(batch.values())).numel() < _LOOKED_AT_FROM or not few.left_out:
        return Pace(whole, whole)
    with _kept_by(stepper) as kept:
        stepper.step(few.of(batch), 0)
    with timed(stepper.distribution.device) as seconds:
        stepper.step(few.of(batch), 1)
    size = max(1, sum(kept.values()) * micro_batches // few.samples)
    affordable = min(_free(stepper.distribution.device) // size, int(_SECONDS / _STEPS * few.samples / seconds[0]))
    samples = min(whole, max(few.samples, affordable // micro_batches * micro_batches))
    return Pace(samples, whole, size)


def seconds_a_step(stepper: Stepper, training: Batches, pace: Pace) -> float:
    """Return how long a step of a whole batch takes, once it is warm."""
    supply = (pace.of(batch) for batch in _endless(training))
    next(supply)
    stepper.step(next(supply), 1)
    with timed(stepper.distribution.device) as seconds:
        for step in range(_TIMED_STEPS):
            stepper.step(next(supply), 2 + step)
    stepper.metrics(2 + _TIMED_STEPS)
    return seconds[0] / _TIMED_STEPS * pace.whole / pace.samples


def seconds_to_evaluate(stepper: Stepper, evaluation: Batches, pace: Pace) -> float:
    """Return how long it takes to score all that is evaluated, once."""
    whole = next(evaluation.epoch(0))
    batch = pace.of(whole)
    with timed(stepper.distribution.device) as seconds, stepper.exported():
        stepper.recipe.evaluate([batch])
    return seconds[0] * samples_in(whole) / samples_in(batch) * len(evaluation)


def _endless(supply: Batches) -> Iterator[Batch]:
    epoch = 0
    while True:
        yield from supply.epoch(epoch)
        epoch += 1


def samples_in(batch: Batch) -> int:
    """Return the number of samples of a batch."""
    return len(next(iter(batch.values())))


@contextmanager
def timed(device: torch.device) -> Iterator[list[float]]:
    """Yield a list that holds, once the block has ended, the seconds that it took."""

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    seconds: list[float] = []
    start = now()
    yield seconds
    seconds.append(now() - start)


@contextmanager
def _kept_by(stepper: Stepper) -> Iterator[dict[int, int]]:
    """Yield the bytes of what is kept for backward passes, by where it lies, without parameters and buffers."""
    state = named_state(stepper.modules).values()
    own = {stepper.distribution.local(tensor).untyped_storage().data_ptr() for tensor in state}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        yield kept


def _free(device: torch.device) -> int:
    """Return the bytes that a rehearsal may take for what its steps keep."""
    return int(torch.cuda.mem_get_info(device)[0] // 2) if device.type == "cuda" else _BYTES
