"""The loop that a careful person writes: gather, forward, backward, step; the loss is read when it is logged."""

import torch
from jobs import Job
from torch import nn
from turns import LOG_EVERY, Clock


def train(job: Job, clock: Clock) -> nn.Module:
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
