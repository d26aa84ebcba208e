"""Find a batch size that fits, by trying larger ones until memory is short."""

import torch

from zoo.engine.distribution import Distribution, join
from zoo.engine.run import Run
from zoo.training.job import TrainingJob
from zoo.training.memory import available_memory, peak_memory
from zoo.training.run import batches, fresh_model, make_stepper

_LARGEST_BATCH = 4096
_SHARE_OF_MEMORY = 0.9


def fit_batch_size(job: TrainingJob) -> TrainingJob:
    """Return the job with the largest batch, a power of two, that fits into nine tenths of the memory.

    An epoch keeps ten steps at least. A run that is resumed keeps the batch size that it has.
    """
    if job.run.resume:
        return job.with_batch_size(Run.recorded(job.run.out)["settings"]["batch_size"])
    found = 1
    maximum = min(_LARGEST_BATCH, max(1, len(job.dataset.splits["train"]) // 10))
    with join(job.run.device, job.run.sharding) as distribution, torch.random.fork_rng():
        parts = distribution.world_size * job.settings.accumulate
        size = parts
        while size <= maximum and not distribution.any(not _fits(job.with_batch_size(size), distribution)):
            found, size = size, size * 2
    return job.with_batch_size(max(found, parts))


def _fits(job: TrainingJob, distribution: Distribution) -> bool:
    """Tell whether two steps of this batch size run, with room to spare for as much again on a CPU."""
    device = distribution.device
    before = peak_memory(device)
    try:
        training = batches(job.dataset, "train", job.settings, distribution)
        stepper = make_stepper(job, fresh_model(job), distribution, 2)
        for step, batch in zip(range(2), training.epoch(0), strict=False):
            stepper.step(batch, step)
    except torch.cuda.OutOfMemoryError:
        return False
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return torch.cuda.max_memory_allocated(device) < _SHARE_OF_MEMORY * total
    return 2 * (peak_memory(device) - before) < _SHARE_OF_MEMORY * available_memory()
