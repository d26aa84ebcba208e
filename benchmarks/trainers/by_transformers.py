"""transformers.Trainer, at its best here and with its defaults.

At its best: everything optional off, a data set that gives whole batches, no collating, no clipping, no check of each
loss for NaN, the job's own fused optimizer. With defaults: samples one by one, the default collator, clipping at 1 and
Trainer's own AdamW. Both without workers (memory is faster), pinning, checkpoints and bar, at a constant rate.
"""

import tempfile
from collections.abc import Sequence
from typing import Any

import torch
import transformers
from jobs import Job
from torch import Tensor, nn
from torch.utils.data import Dataset
from turns import LOG_EVERY, Clock

transformers.utils.logging.set_verbosity_error()


def train(job: Job, clock: Clock) -> nn.Module:
    model = job.make_model()
    optimizer = job.make_optimizer(model)
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    options = {"max_grad_norm": 0, "logging_steps": LOG_EVERY, "logging_nan_inf_filter": False}
    return _train(
        model,
        job,
        clock,
        options,
        data_collator=lambda batch: batch,
        train_dataset=WholeBatches(job),
        optimizers=(optimizer, schedule),
    )


def train_with_defaults(job: Job, clock: Clock) -> nn.Module:
    options = {"learning_rate": 1e-3, "lr_scheduler_type": "constant"}
    return _train(job.make_model(), job, clock, options, train_dataset=SingleSamples(job))


def _train(model: nn.Module, job: Job, clock: Clock, options: dict[str, Any], **parts: Any) -> nn.Module:
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            output_dir=folder,
            max_steps=clock.total,
            per_device_train_batch_size=job.batch_size,
            dataloader_drop_last=True,
            dataloader_num_workers=0,
            dataloader_pin_memory=False,
            remove_unused_columns=False,
            eval_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            **options,
        )
        trainer = transformers.Trainer(WithLoss(model, job), arguments, callbacks=[Tick(clock)], **parts)
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    return model


class WithLoss(nn.Module):
    """What Trainer asks of a model: a forward that returns its loss."""

    def __init__(self, model: nn.Module, job: Job) -> None:
        super().__init__()
        self.model = model
        self.job = job

    def forward(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        return {"loss": self.job.loss(self.model, {"images": images, "labels": labels})}


class WholeBatches(Dataset[Any]):
    """Samples by one gather a batch: the DataLoader asks for a list of places at once."""

    def __init__(self, job: Job) -> None:
        self.tensors = job.tensors

    def __len__(self) -> int:
        return len(self.tensors["images"])

    def __getitems__(self, places: Sequence[int]) -> dict[str, Tensor]:
        index = torch.tensor(places)
        return {name: tensor[index] for name, tensor in self.tensors.items()}


class SingleSamples(Dataset[Any]):
    """Samples one by one, for the default collator to stack."""

    def __init__(self, job: Job) -> None:
        self.tensors = job.tensors

    def __len__(self) -> int:
        return len(self.tensors["images"])

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        return {name: tensor[place] for name, tensor in self.tensors.items()}


class Tick(transformers.TrainerCallback):
    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        self.clock.tick()
