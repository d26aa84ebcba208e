"""The loops that a careful person writes: gather, forward, backward, step; the loss is read when it is logged."""

import torch
from jobs import Job
from torch import nn
from turns import LOG_EVERY, Clock


def train(job: Job, clock: Clock) -> nn.Module:
    return _train_with_all(job, clock) if job.accumulate > 1 else _train(job, clock)


def _train(job: Job, clock: Clock) -> nn.Module:
    model = job.make_model().train()
    optimizer = job.make_optimizer(model)
    total = torch.zeros(())
    logged = []
    while True:
        for batch in job.batches():
            loss = job.loss(model, batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.detach()
            if clock.done % LOG_EVERY == 0:
                logged.append(total.item() / LOG_EVERY)
                total.zero_()
            if clock.tick():
                return model


def _train_with_all(job: Job, clock: Clock) -> nn.Module:
    """Accumulate gradients over micro-batches, clip them, and keep a moving average of the weights."""
    model = job.make_model().train()
    optimizer = job.make_optimizer(model)
    parameters = list(model.parameters())
    live = [tensor for tensor in model.state_dict().values() if tensor.is_floating_point()]
    average = [tensor.clone() for tensor in live]
    total = torch.zeros(())
    logged = []
    while True:
        for batch in job.batches():
            chunks = {name: tensor.chunk(job.accumulate) for name, tensor in batch.items()}
            optimizer.zero_grad(set_to_none=True)
            for place in range(job.accumulate):
                loss = job.loss(model, {name: parts[place] for name, parts in chunks.items()}) / job.accumulate
                loss.backward()
                total += loss.detach()
            torch.nn.utils.clip_grad_norm_(parameters, job.clip)
            optimizer.step()
            torch._foreach_lerp_(average, live, 1 - job.ema)
            if clock.done % LOG_EVERY == 0:
                logged.append(total.item() / LOG_EVERY)
                total.zero_()
            if clock.tick():
                return model
