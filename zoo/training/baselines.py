"""Compare finetuning with what needs no pretrained weights: the same network from scratch, and a classical method."""

import dataclasses
import json

from zoo.errors import UsageError
from zoo.extras import require
from zoo.files import storage_errors, write_file
from zoo.modalities.data_source import with_options
from zoo.registry.loading import load_modality, naming
from zoo.registry.registry import default_registry
from zoo.specs.modality_offers import Baseline, HasBaseline, HasHeldOutBaseline, HeldOut
from zoo.specs.settings import FinetuneSettings
from zoo.training.job import TrainingJob, finetuning
from zoo.training.prepare import prepare_job
from zoo.training.request import FinetuneRequest
from zoo.training.result import Compared, RunResult
from zoo.training.run import run_job

PRETRAINED, SCRATCH = "pretrained", "scratch"
RECORD = "baselines.json"


def run_with_baselines(request: FinetuneRequest, job: TrainingJob) -> RunResult:
    """Finetune, and train both baselines on the same samples; all scores are kept in the run as baselines.json.

    The network from scratch is a run of its own inside the run, `scratch`. Raise UsageError where there is nothing to
    compare.
    """
    require("--baselines", "sklearn")
    _check(job)
    compared, spec = [], job.recipe.spec
    scratch = prepare_job(_from_scratch(request, job))
    result = run_job(job)
    compared.append(Compared(SCRATCH, run_job(scratch).scores))
    if (classical := _classical(request, job)) is not None:
        compared.append(Compared(classical.name, classical.scores))
    entries = (Compared(PRETRAINED, result.scores), *compared)
    known = [entry for entry in entries if spec.score in entry.scores]
    best = (max if spec.higher_is_better else min)(known, key=lambda entry: entry.scores[spec.score])
    record = {
        "score": spec.score,
        "best": best.name,
        "results": [{"name": entry.name, "scores": dict(entry.scores)} for entry in entries],
    }
    with storage_errors(f"writing {result.folder}/{RECORD}"):
        write_file(result.folder / RECORD, json.dumps(record, indent=1).encode() + b"\n")
    return dataclasses.replace(result, baselines=tuple(compared), best=best.name)


def _check(job: TrainingJob) -> None:
    if not job.learns_labels:
        raise UsageError(f"--baselines compares what learns classes, and {job.task} does not; omit it")
    if isinstance(job.settings, FinetuneSettings) and job.settings.method == SCRATCH:
        raise UsageError("--baselines trains from scratch itself, beside pretrained weights; omit --method scratch")


def _from_scratch(request: FinetuneRequest, job: TrainingJob) -> FinetuneRequest:
    """Return the request of the same network from random weights, kept inside the run.

    It trains as long, and on batches as large, also where these were measured.
    """
    out = request.run.out / SCRATCH
    resumes = request.run.resume and (out / "run.json").is_file()
    run = dataclasses.replace(request.run, out=out, resume=resumes)
    settings = {name: value for name, value in request.settings.items() if name != "method"}
    settings |= {name: getattr(job.settings, name) for name in ("batch_size", "steps") if name in settings}
    return dataclasses.replace(request, run=run, settings=settings, method=SCRATCH)


def _classical(request: FinetuneRequest, job: TrainingJob) -> Baseline | None:
    """Return what the modality's classical method comes to; None where it has none for this."""
    name = job.offer.spec.modality
    modality, offer = load_modality(name), default_registry().modality(name)
    if not isinstance(modality, HasBaseline) or job.need is None:
        return None
    with naming(offer.plugin, f"modality {name!r}"):
        return modality.baseline(with_options(request.data, name), job.need, request.labels)


def classical_held_out(request: FinetuneRequest, samples: int, folds: int) -> HeldOut | None:
    """Return what the modality's classical method says of training samples; None where it has none for this."""
    job = finetuning(request)
    name = job.offer.spec.modality
    modality, offer = load_modality(name), default_registry().modality(name)
    if not isinstance(modality, HasHeldOutBaseline) or job.need is None:
        return None
    with naming(offer.plugin, f"modality {name!r}"):
        return modality.held_out_baseline(with_options(request.data, name), job.need, samples, folds)
