"""timm: what its train.py puts together, from timm's own pieces.

train.py itself is no part of the package. The optimizer is `create_optimizer_v2`, the schedule `create_scheduler_v2`
updated at every step, the forward and loss a `TrainingTask`, and the order of a step is train.py's without a
prefetcher: three AverageMeters, the loss read at every step, a log line at every 50th. Batches come as tensors: timm's
loader decodes and transforms pictures one by one, which is another matter than the loop.
"""

import logging
import time

from jobs import Job
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.task import TrainingTask
from timm.utils import AverageMeter
from torch import Tensor, nn
from turns import LOG_EVERY, Clock

_log = logging.getLogger("train")


class JobTask(TrainingTask):
    """timm's own ClassificationTask, for any job: a forward that returns the loss."""

    def __init__(self, model: nn.Module, job: Job) -> None:
        super().__init__(verbose=False)
        self.trainable_module = model
        self.job = job

    def forward(self, input: Tensor, target: Tensor) -> dict[str, Tensor]:
        return {"loss": self.job.loss(self.trainable_module, {"images": input, "labels": target})}


def train(job: Job, clock: Clock) -> nn.Module:
    model = job.make_model()
    task = JobTask(model, job)
    optimizer = create_optimizer_v2(model, **job.timm_optimizer)
    updates = len(job.images) // job.batch_size
    epochs = clock.total // updates + 1
    # a step schedule that never steps is a constant rate
    scheduler, _ = create_scheduler_v2(
        optimizer, "step", num_epochs=epochs, decay_epochs=epochs + 1, updates_per_epoch=updates, step_on_epochs=False
    )
    for epoch in range(epochs):
        if train_one_epoch(epoch, updates, task, optimizer, scheduler, job, clock):
            break
    return model


def train_one_epoch(epoch, updates, task, optimizer, scheduler, job, clock) -> bool:
    update_time, data_time, losses = AverageMeter(), AverageMeter(), AverageMeter()
    task.train()
    num_updates = epoch * updates
    data_start = update_start = time.time()
    optimizer.zero_grad()
    for place, batch in enumerate(job.batches()):
        images = batch["images"].to(device="cpu")
        labels = batch["labels"].to(device="cpu")
        data_time.update(time.time() - data_start)
        loss = task(images, labels)["loss"]
        loss.backward(create_graph=False)
        optimizer.step()
        losses.update(loss.item(), images.shape[0])
        num_updates += 1
        optimizer.zero_grad()
        now = time.time()
        update_time.update(now - update_start)
        update_start = now
        if place % LOG_EVERY == 0:
            rates = [group["lr"] for group in optimizer.param_groups]
            _log.info(
                f"Train: {epoch} [{place:>4d}/{updates}]  Loss: {losses.val:#.3g} ({losses.avg:#.3g})  "
                f"Time: {update_time.val:.3f}s  LR: {sum(rates) / len(rates):.3e}  Data: {data_time.val:.3f}"
            )
        scheduler.step_update(num_updates=num_updates, metric=losses.avg)
        if clock.tick():
            return True
        data_start = time.time()
    return False
