"""From a request to a job, with nothing left to be decided."""

import dataclasses

from zoo.extras import require
from zoo.training.batch_size import fit_batch_size
from zoo.training.budget import fit_steps, is_time
from zoo.training.job import TrainingJob, finetuning, pretraining
from zoo.training.request import FinetuneRequest, PretrainRequest


def prepare_job(request: PretrainRequest | FinetuneRequest) -> TrainingJob:
    """Settle what is asked for.

    A batch size of "auto" becomes the largest that fits into memory, steps of "10m" as many as fit into that time.
    """
    require("training", "matplotlib", "PIL")  # its last step draws: better said now than then
    asked = request.settings
    measured = {"batch_size": asked.get("batch_size") == "auto", "steps": is_time(asked.get("steps"))}
    if not any(measured.values()):
        return _settled(request)
    others = {name: value for name, value in asked.items() if not measured.get(name)}
    job = _settled(dataclasses.replace(request, settings=others))
    if measured["batch_size"]:
        job = fit_batch_size(job)
    return fit_steps(job, asked["steps"]) if measured["steps"] else job


def _settled(request: PretrainRequest | FinetuneRequest) -> TrainingJob:
    return pretraining(request) if isinstance(request, PretrainRequest) else finetuning(request)
