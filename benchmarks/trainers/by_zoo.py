"""zoo: its recipe, its batches, its stepper, logging as its loop does. All that must follow when the engine changes."""

import torch
from jobs import Job
from torch import nn
from turns import LOG_EVERY, Clock

import zoo
from zoo.data.images.batches import TensorBatches
from zoo.engine.distribution import Distribution
from zoo.engine.prepare import prepare
from zoo.engine.stepper import Stepper
from zoo.registry.recipe_settings import settings_from
from zoo.registry.registry import default_registry
from zoo.training.run import make_recipe


def train(job: Job, clock: Clock) -> nn.Module:
    offer = default_registry().recipe(job.recipe)
    settings = settings_from(offer, job.settings)
    model = job.make_model()
    distribution = Distribution(torch.device("cpu"))
    inputs = zoo.Preprocessing(image_size=job.images.shape[2:], channels=job.images.shape[1])
    recipe = make_recipe(offer, settings, model, job.classes, inputs)
    prepare(recipe, settings, distribution)
    batches = TensorBatches(
        job.images,
        {"labels": job.labels},
        batch_size=job.batch_size,
        seed=0,
        shuffle=True,
        drop_last=True,
        device=distribution.device,
        micro_batches=settings.accumulate,
    )
    stepper = Stepper(recipe, settings, clock.total, distribution)
    epoch = 0
    while True:
        for batch in batches.epoch(epoch):
            stepper.step(batch, clock.done, epoch)
            if clock.done % LOG_EVERY == 0:
                stepper.figures(clock.done)
            if clock.tick():
                return model
        epoch += 1
