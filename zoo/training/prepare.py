"""From a request to a job, with nothing left to be decided."""

import dataclasses

from zoo.extras import require
from zoo.specs.settings import FinetuneSettings
from zoo.training.batch_size import fit_batch_size
from zoo.training.budget import fit_steps, is_time
from zoo.training.folds import plan_by_folds
from zoo.training.job import TrainingJob, finetuning, pretraining
from zoo.training.request import FinetuneRequest, PretrainRequest


def prepare_job(request: PretrainRequest | FinetuneRequest) -> TrainingJob:
    """Settle what is asked for.

    A batch size of "auto" becomes the largest that fits into memory, steps of "10m" as many as fit into that time, and
    with folds they say how many.
    """
    require("training", "matplotlib", "PIL")  # its last step draws: better said now than then
    asked = request.settings
    measured = {"batch_size": asked.get("batch_size") == "auto", "steps": is_time(asked.get("steps"))}
    others = {name: value for name, value in asked.items() if not measured.get(name)}
    job = _settled(dataclasses.replace(request, settings=others))
    if measured["batch_size"]:
        job = fit_batch_size(job)
    if measured["steps"]:
        job = fit_steps(job, asked["steps"])
    return _planned(request, job)


def _planned(request: PretrainRequest | FinetuneRequest, job: TrainingJob) -> TrainingJob:
    """Return the job with what its folds say, where it is to have any; what is on record has been planned."""
    folds = isinstance(job.settings, FinetuneSettings) and job.settings.folds
    return plan_by_folds(job, request.settings) if folds and not request.repeated else job


def _settled(request: PretrainRequest | FinetuneRequest) -> TrainingJob:
    return pretraining(request) if isinstance(request, PretrainRequest) else finetuning(request)
