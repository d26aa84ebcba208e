"""Lightning's Trainer, once as people use it (loss logged to a CSV file) and once in its own `barebones` mode.

Both take our batches as they are, with no DataLoader between; no bar, no checkpoints, no validation, no clipping.
"""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import lightning
import torch
from jobs import Batch, Job
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from turns import LOG_EVERY, Clock

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="lightning")
warnings.filterwarnings("ignore", message=".*num_workers.*")


def train(job: Job, clock: Clock) -> nn.Module:
    with tempfile.TemporaryDirectory() as folder:
        module = Module(job, logs=True)
        options = {"enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
        return _fit(module, clock, logger=CSVLogger(folder), log_every_n_steps=LOG_EVERY, **options)


def train_barebones(job: Job, clock: Clock) -> nn.Module:
    return _fit(Module(job, logs=False), clock, barebones=True)


def _fit(module: "Module", clock: Clock, **options: Any) -> nn.Module:
    trainer = lightning.Trainer(
        accelerator="cpu", devices=1, max_steps=clock.total, callbacks=[Tick(clock)], limit_val_batches=0, **options
    )
    trainer.fit(module, Epochs(module.job))
    return module.model


class Module(lightning.LightningModule):
    def __init__(self, job: Job, *, logs: bool) -> None:
        super().__init__()
        self.model = job.make_model().train()
        self.job = job
        self.logs = logs

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = self.job.loss(self.model, batch)
        if self.logs:
            self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.job.make_optimizer(self.model)


class Epochs:
    """The job's batches, anew each epoch."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def __iter__(self) -> Iterator[Batch]:
        return self.job.batches()

    def __len__(self) -> int:
        return len(self.job.images) // self.job.batch_size


class Tick(lightning.Callback):
    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def on_train_batch_end(self, *arguments: Any, **rest: Any) -> None:
        self.clock.tick()
