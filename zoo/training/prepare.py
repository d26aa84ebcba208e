"""From a request to a job, with nothing left to be decided."""

import dataclasses

from zoo.extras import require
from zoo.training.batch_size import fit_batch_size
from zoo.training.job import TrainingJob, finetuning, pretraining
from zoo.training.request import FinetuneRequest, PretrainRequest


def prepare_job(request: PretrainRequest | FinetuneRequest) -> TrainingJob:
    """Settle what is asked for; a batch size of "auto" becomes the largest that fits."""
    require("training", "matplotlib", "PIL")  # its last step draws: better said now than then
    if request.settings.get("batch_size") != "auto":
        return _settled(request)
    others = {name: value for name, value in request.settings.items() if name != "batch_size"}
    return fit_batch_size(_settled(dataclasses.replace(request, settings=others)))


def _settled(request: PretrainRequest | FinetuneRequest) -> TrainingJob:
    return pretraining(request) if isinstance(request, PretrainRequest) else finetuning(request)
